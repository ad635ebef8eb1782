"""The ledger reads any resource, and never stands in the way of its registration."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.output import UNKNOWN

from breakeven.cost.bill.charge import Context, Place
from breakeven.cost.bill.pricing import parts_of
from breakeven.cost.bill.registered import GPU_POOL
from breakeven.resources.ledger import Ledger, plain

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"


class Opaque:
    """Something that no rule knows."""


class Hostile(Mapping[str, object]):
    """A mapping that fails when it is read."""

    def __getitem__(self, key: str) -> object:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        message = "unreadable"
        raise RuntimeError(message)

    def __len__(self) -> int:
        return 1


leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=6),
    st.binary(max_size=6),
    st.just(UNKNOWN),
    st.builds(Opaque),
    st.builds(pulumi.StringAsset, st.text(max_size=6)),
    st.builds(lambda: pulumi.AssetArchive({"file": pulumi.StringAsset("text")})),
    st.text(max_size=6).map(lambda value: {SIGNATURE: SECRET, "value": value}),
    st.text(max_size=6).map(lambda value: {SIGNATURE: RESOURCE, "urn": value}),
    st.sets(st.integers(), max_size=2),
)
keys = st.one_of(st.text(max_size=6), st.integers(), st.none(), st.just(SIGNATURE))
data = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=3),
    ),
    max_leaves=12,
)


def arguments(
    props: object, kind: str = "kubernetes:core/v1:Service", *, custom: bool = True
) -> pulumi.ResourceTransformArgs:
    bag: Any = props
    return pulumi.ResourceTransformArgs(
        custom=custom, type_=kind, name="any", props=bag, opts=pulumi.ResourceOptions()
    )


def observed(*seen: pulumi.ResourceTransformArgs) -> Ledger:
    ledger = Ledger()
    for args in seen:
        ledger._observe(args)
    return ledger


def secrets_in(value: object) -> list[object]:
    """Finds what must not be there: anything but plain values."""
    if isinstance(value, dict):
        return [found for item in (*value, *value.values()) for found in secrets_in(item)]
    if isinstance(value, list):
        return [found for item in value for found in secrets_in(item)]
    return [] if value is None or isinstance(value, str | bool | int | float) else [value]


@given(data)
def test_what_comes_out_is_plain(value: object) -> None:
    assert secrets_in(plain(value)) == []
    json.dumps(plain(value))


@given(st.recursive(st.text(max_size=4), lambda inner: st.dictionaries(st.text(max_size=4), inner)))
def test_what_is_plain_already_comes_out_as_it_is(value: object) -> None:
    assert plain(value) == value


@given(st.lists(st.integers(0, 2), max_size=4))
def test_a_secret_comes_out_as_none_at_any_depth(path: list[int]) -> None:
    value: object = {SIGNATURE: SECRET, "value": "do not show"}
    for step in path:
        value = ({"key": value}, [value], ("before", value))[step]
    assert "do not show" not in json.dumps(plain(value))


@pytest.mark.parametrize(
    "value",
    [
        b"bytes",
        UNKNOWN,
        Opaque(),
        {1, 2},
        pulumi.StringAsset("text"),
        {SIGNATURE: SECRET, "value": "hidden"},
    ],
)
def test_what_can_not_be_read_is_none_and_its_neighbours_stay(value: object) -> None:
    assert plain(value) is None
    assert plain({"size": "5Gi", "other": value}) == {"size": "5Gi", "other": None}


@given(data)
def test_the_ledger_records_every_resource_and_never_raises(props: object) -> None:
    [entry] = observed(arguments(props)).entries()
    assert (entry.name, entry.type) == ("any", "kubernetes:core/v1:Service")
    parts_of(entry, Context(Place("aws", "us-east-1")))


def test_an_output_is_none_and_the_ledger_records_the_rest() -> None:
    async def run() -> Ledger:
        later = pulumi.Output.from_input("later")
        return observed(arguments({"known": "5Gi", "later": later, "list": [later, 1]}))

    [entry] = asyncio.run(run()).entries()
    assert entry.properties == {"known": "5Gi", "later": None, "list": [None, 1]}


def test_inputs_that_fail_when_they_are_read_are_recorded_without() -> None:
    endless: dict[str, object] = {}
    endless["itself"] = endless
    for props in (Hostile(), endless, {"deep": Hostile()}, None, "no mapping", [1]):
        [entry] = observed(arguments(props)).entries()
        assert entry.properties is None


@pytest.mark.parametrize(
    "kind", ["pulumi:pulumi:Stack", "pulumi:pulumi:StackReference", "pulumi:providers:kubernetes"]
)
def test_what_pulumi_registers_for_itself_is_left_out(kind: str) -> None:
    assert observed(arguments({}, kind)).entries() == ()


def test_a_component_is_left_out_but_the_gpu_pool_whose_nodes_are_no_resources() -> None:
    ledger = observed(
        arguments({}, "breakeven:network:NetworkRules", custom=False),
        arguments({"kind": "existing"}, GPU_POOL, custom=False),
    )
    assert [entry.type for entry in ledger.entries()] == [GPU_POOL]


def test_entries_are_ordered_by_type_and_name_whatever_the_order_of_registration() -> None:
    seen = [arguments({}, kind) for kind in ("b:c:D", "a:b:C", "c:d:E")]
    assert observed(*seen).entries() == observed(*reversed(seen)).entries()
    assert [entry.type for entry in observed(*seen).entries()] == ["a:b:C", "b:c:D", "c:d:E"]
