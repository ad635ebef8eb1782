"""What is read member by member is what the standard library reads at once, with its line."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.json_stream import Entry, JsonStreamError, entries

names = st.text(max_size=3)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
documents = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.lists(values, max_size=4) | values, max_size=3
)


class Trickle(io.StringIO):
    """Gives one character at a time, as the slowest file would."""

    def read(self, size: int | None = -1, /) -> str:
        return super().read(1 if size else 0)


def members(document: Any, entered: set[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], Any]]:
    def walk(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        if path in entered and isinstance(value, dict):
            for name, part in value.items():
                yield from walk(part, (*path, name))
        elif path in entered and isinstance(value, list):
            for part in value:
                yield from walk(part, (*path, "*"))
        else:
            yield path, value

    return walk(document, ())


@given(documents, st.sampled_from([None, 1]), st.booleans())
def test_members_are_those_of_the_document(
    document: dict[str, Any], indent: int | None, trickles: bool
) -> None:
    text = json.dumps(document, indent=indent)
    entered = {(), ("a",), ("b",), ("b", "*")}
    stream = Trickle(text) if trickles else io.StringIO(text)
    found = [(entry.path, entry.value) for entry in entries(stream, entered)]
    assert found == list(members(document, entered))


def test_a_root_that_is_not_entered_comes_whole() -> None:
    assert list(entries(io.StringIO(" [1, 2.50]"), ())) == [Entry((), [1, Decimal("2.50")], 1)]


def test_lines_are_counted() -> None:
    text = '{\n"a": [\n1,\n\n2], "b":\n3}'
    found = {(entry.path, entry.line) for entry in entries(Trickle(text), {(), ("a",)})}
    assert found == {(("a", "*"), 3), (("a", "*"), 5), (("b",), 6)}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("{", 1),
        ('{"a" 1}', 1),
        ('{"a": 1,}', 1),
        ('{"a": 1\n"b": 2}', 2),
        ('{"a": [1,\n2\n}', 3),
        ('{"a": [1]}\n\nmore', 3),
        ("{1: 2}", 1),
        ('{"a": [\nNaN]}', 2),
        ('{"a":\n"no end', 2),
        ('{"b": ' + "[" * 100_000, 1),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(JsonStreamError) as caught:
        list(entries(io.StringIO(text), {(), ("a",)}))
    assert caught.value.line == line


@given(documents, st.data())
def test_a_document_cut_off_is_never_taken_for_a_whole_one(
    document: dict[str, Any], data: st.DataObject
) -> None:
    text = json.dumps(document)
    end = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(JsonStreamError):
        list(entries(Trickle(text[:end]), {(), ("a",)}))


class Long(io.StringIO):
    """The members of a long list, made as they are read."""

    def __init__(self, members: int) -> None:
        super().__init__()
        self._left = members

    def read(self, size: int | None = -1, /) -> str:
        count = min(self._left, (size or 0) // 14)
        ends = bool(count) and count == self._left
        self._left -= count
        return '{"sku": "a"}, ' * (count - ends) + ('{"sku": "a"}]' if ends else "")


def test_memory_does_not_grow_with_the_document() -> None:
    def peak(members: int) -> int:
        stream = Long(members)
        tracemalloc.start()
        assert sum(1 for _ in entries(Prefixed(stream), {()})) == members
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(60_000) < 1.5 * peak(15_000)


class Prefixed(io.StringIO):
    """Puts the opening bracket before a list."""

    def __init__(self, rest: io.StringIO) -> None:
        super().__init__("[")
        self._rest = rest

    def read(self, size: int | None = -1, /) -> str:
        return super().read(1) or self._rest.read(size)


def test_an_endless_value_is_given_up_at_16_million_characters() -> None:
    class Endless(io.StringIO):
        given = 0

        def read(self, size: int | None = -1, /) -> str:
            self.given += size or 0
            return '"' + "x" * ((size or 1) - 1) if self.given == size else "x" * (size or 0)

    stream = Endless()
    with pytest.raises(JsonStreamError):
        list(entries(stream, {()}))
    assert stream.given < 2**27
