"""Every value is either used or reported, and reading goes on either way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import SettingsError
from breakeven.settings.reader import ConfigReader
from tests.each import each

DEFAULTS = {
    "word": "red",
    "name": "a-name",
    "count": "3",
    "rate": "1.5",
    "maybe": "",
    "flag": "true",
    "list": '["a"]',
    "map": '{"a": "1"}',
    "prices": "{}",
}

READS: Mapping[str, Callable[[ConfigReader], object]] = {
    "word": lambda reader: reader.choice("word", ("red", "green")),
    "name": lambda reader: reader.text("name", pattern="[a-z-]+", allowed="Allowed: letters"),
    "count": lambda reader: reader.integer("count", 1, 10),
    "rate": lambda reader: reader.decimal("rate", "1", "20"),
    "maybe": lambda reader: reader.optional_decimal("maybe", "0", "1e7"),
    "flag": lambda reader: reader.boolean("flag"),
    "list": lambda reader: reader.words("list", pattern="[a-z]", allowed="Allowed: letters"),
    "map": lambda reader: reader.labels("map"),
    "prices": lambda reader: reader.prices("prices")[0],
}
FALLBACKS: Mapping[str, object] = {
    "word": "red",
    "name": "a-name",
    "count": 3,
    "rate": Decimal("1.5"),
    "maybe": None,
    "flag": True,
    "list": ("a",),
    "map": {"a": "1"},
    "prices": {},
}


def reader_of(**values: str) -> ConfigReader:
    return ConfigReader(values, DEFAULTS)


@pytest.mark.parametrize("key", DEFAULTS)
def test_a_key_that_is_not_stated_has_its_default(key: str) -> None:
    reader = reader_of()
    assert READS[key](reader) == FALLBACKS[key]
    assert reader.problems == ()
    assert reader.usable(key)


@each(
    "key, value, found, allowed",
    [
        ("word", "gren", 'found "gren"', "Closest: green"),
        ("word", "?", 'found "?"', "Allowed: red, green"),
        ("word", "", 'found ""', "Allowed: red, green"),
        ("name", "A", 'found "A"', "Allowed: letters"),
        ("name", "a\n", 'found "a\n"', "Allowed: letters"),
        ("count", "many", 'found "many"', "Allowed: a whole number, 1 to 10"),
        ("count", "1.0", 'found "1.0"', "Allowed: a whole number, 1 to 10"),
        ("count", "", 'found ""', "Allowed: a whole number, 1 to 10"),
        ("count", "0", 'found "0"', "Allowed: a whole number, 1 to 10"),
        ("count", "11", 'found "11"', "Allowed: a whole number, 1 to 10"),
        ("rate", "0.99", 'found "0.99"', "Allowed: a number, 1 to 20"),
        ("rate", "NaN", 'found "NaN"', "Allowed: a number, 1 to 20"),
        ("rate", "sNaN", 'found "sNaN"', "Allowed: a number, 1 to 20"),
        ("rate", "Infinity", 'found "Infinity"', "Allowed: a number, 1 to 20"),
        ("rate", "1,5", 'found "1,5"', "Allowed: a number, 1 to 20"),
        ("maybe", "-1", 'found "-1"', "Allowed: a number, 0 to 10,000,000"),
        ("flag", "yes", 'found "yes"', "Allowed: true or false"),
        ("flag", "True", 'found "True"', "Allowed: true or false"),
        ("list", "a", 'found "a"', "Allowed: a list"),
        ("list", '{"a": 1}', 'found "{"a": 1}"', "Allowed: a list"),
        ("list", '["a", "B", 1]', 'found "B", 1', "Allowed: letters"),
        ("map", "[]", 'found "[]"', "Allowed: a mapping of names to values"),
        ("map", "null", 'found "null"', "Allowed: a mapping of names to values"),
        ("map", '{"b": 1}', 'found "b" with a value that is no string', "Allowed: strings"),
        ("prices", "3", 'found "3"', "Allowed: a mapping of names to values"),
        ("prices", '{"x": "dear"}', 'found "dear" for "x"', "Allowed: a number, 0 to"),
        ("prices", '{"x": -1}', 'found "-1" for "x"', "Allowed: a number, 0 to"),
    ],
)
def test_a_value_that_can_not_be_used_is_reported_and_its_default_stands_in(
    key: str, value: str, found: str, allowed: str
) -> None:
    reader = reader_of(**{key: value})
    assert READS[key](reader) == FALLBACKS[key]
    [problem] = reader.problems
    assert (problem.key, problem.found) == (key, found)
    assert problem.allowed.startswith(allowed)
    assert not reader.usable(key)


def test_an_entry_that_stands_twice_is_reported() -> None:
    reader = reader_of(list='["b", "b"]')
    READS["list"](reader)
    [problem] = reader.problems
    assert (problem.found, problem.allowed) == ('found "b", "b"', "Allowed: each entry once")


def test_one_bad_price_does_not_hide_the_others() -> None:
    reader = reader_of(prices='{"x": "dear", "y": "0.10", "z": "cheap"}')
    assert READS["prices"](reader) == {"y": Decimal("0.10")}
    assert [problem.found for problem in reader.problems] == [
        'found "dear" for "x"',
        'found "cheap" for "z"',
    ]


@given(st.integers(1, 10), st.decimals(Decimal(1), Decimal(20), places=4), st.booleans())
def test_a_value_in_range_is_read_exactly(count: int, rate: Decimal, flag: bool) -> None:
    reader = reader_of(count=str(count), rate=str(rate), flag=json.dumps(flag))
    assert READS["count"](reader) == count
    assert READS["rate"](reader) == rate
    assert READS["flag"](reader) is flag
    assert reader.problems == ()


@given(st.integers().filter(lambda number: not 1 <= number <= 10))
def test_a_number_out_of_range_is_reported(count: int) -> None:
    reader = reader_of(count=str(count))
    assert READS["count"](reader) == 3
    assert len(reader.problems) == 1


@given(st.dictionaries(st.sampled_from(sorted(DEFAULTS)), st.text()))
def test_any_text_is_used_or_reported(values: Mapping[str, str]) -> None:
    reader = reader_of(**values)
    for key, read in READS.items():
        read(reader)
        reported = key in {problem.key for problem in reader.problems}
        assert reader.usable(key) != reported
        assert key in values or not reported


def test_a_key_that_does_not_exist_is_reported_with_what_is_near() -> None:
    reader = reader_of(cuont="3", zzzz="1")
    near, far = reader.problems
    assert str(near) == "breakeven:cuont: no such setting. Remove it; closest: count."
    assert str(far) == "breakeven:zzzz: no such setting. Remove it; Pulumi.yaml lists all keys."


def test_problems_are_in_the_order_of_pulumi_yaml_whatever_was_read_first() -> None:
    reader = reader_of(flag="yes", count="0", word="blue", other="1")
    for key in ("flag", "word", "count"):
        READS[key](reader)
    assert [problem.key for problem in reader.problems] == ["other", "word", "count", "flag"]


def test_several_keys_are_usable_only_if_each_of_them_is() -> None:
    reader = reader_of(count="0")
    READS["count"](reader)
    assert reader.usable("word", "rate")
    assert not reader.usable("word", "count")


def test_without_a_problem_nothing_is_raised() -> None:
    reader = reader_of(count="4")
    READS["count"](reader)
    reader.raise_problems("dev")
    assert reader.problems == ()


def test_one_error_tells_all_problems_and_where_to_mend_them() -> None:
    reader = reader_of(count="0", flag="yes")
    READS["count"](reader)
    READS["flag"](reader)
    with pytest.raises(SettingsError) as raised:
        reader.raise_problems("dev")
    assert raised.value.problems == reader.problems
    assert str(raised.value).splitlines() == [
        "2 settings of stack dev can't be used; nothing was changed.",
        '  1. breakeven:count: found "0". Allowed: a whole number, 1 to 10.',
        '  2. breakeven:flag: found "yes". Allowed: true or false.',
        "Edit stacks/Pulumi.dev.yaml; docs/settings.md describes every setting.",
    ]


@pytest.mark.parametrize(
    "label",
    [
        {"a b": "x"},
        {"": "x"},
        {"nvidia.com/": "x"},
        {"gpu": "two words"},
        {"gpu": "-x"},
        {"A.b/c": "x"},
    ],
)
def test_what_kubernetes_would_refuse_as_a_label_is_refused(label: dict[str, str]) -> None:
    reader = ConfigReader({"map": json.dumps(label)}, {"map": "{}"})
    assert reader.labels("map") == {}
    assert [problem.key for problem in reader.problems] == ["map"]


@pytest.mark.parametrize(
    "label", [{"gpu": ""}, {"nvidia.com/gpu.product": "NVIDIA-L4"}, {"a": "b"}, {"a_b": "1.2"}]
)
def test_what_kubernetes_takes_as_a_label_is_read(label: dict[str, str]) -> None:
    reader = ConfigReader({"map": json.dumps(label)}, {"map": "{}"})
    assert reader.labels("map") == label
    assert not reader.problems


def test_a_price_marked_private_is_read_as_such() -> None:
    stated = json.dumps({"a": "1.25 private", "b": "2"})
    reader = ConfigReader({"map": stated}, {"map": "{}"})
    assert reader.prices("map") == ({"a": Decimal("1.25"), "b": Decimal(2)}, frozenset({"a"}))
    assert not reader.problems
