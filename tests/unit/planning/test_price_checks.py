"""Node prices that are missing, stale or of another machine are reported with a fix."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest

from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price, PriceMissingError
from breakeven.catalog.price_book import PriceBook
from breakeven.errors import ClockError
from breakeven.planning.price_checks import (
    missing_prices,
    stale_prices,
    system_node_prices,
    wrong_shapes,
)
from breakeven.settings.stack import Stack
from tests.recording import stack_of

TODAY = date(2026, 11, 30)
G6E = "node/aws/us-east-1/g6e.xlarge/on-demand"


def price(identifier: str, days: int = 0) -> Price:
    return Price(
        identifier=identifier,
        usd=Decimal(2),
        unit="node-hour",
        source="a list",
        as_of=TODAY - timedelta(days=days),
        confidence="list",
    )


def machine(name: str, gpus: int = 1, gpu: str | None = "l40s") -> NodeShape:
    return NodeShape(cloud="aws", instance_type=name, gpu=gpu, gpus=gpus, vcpus=4, memory_gib=32)


def book(*prices: Price, shapes: tuple[NodeShape, ...] = ()) -> PriceBook:
    by_name: Mapping[str, Price] = {each.identifier: each for each in prices}
    machines = {(each.cloud, each.instance_type): each for each in shapes}
    return PriceBook(by_name, machines, today=TODAY, region="us-east-1")


@pytest.fixture
def stack() -> Stack:
    """One L40S a node, g6e.xlarge in us-east-1."""
    return stack_of("aws-prod")


def test_a_missing_price_names_regions_that_have_it_and_machines_of_the_region(
    stack: Stack,
) -> None:
    instance_type = stack.pool.instance_types[0]
    elsewhere = [f"node/aws/{region}/{instance_type}/on-demand" for region in ("eu-west-1", "us-x")]
    other = f"node/aws/{stack.pricing.region}/other.xlarge/on-demand"
    shapes = (
        machine(instance_type, stack.pool.gpus_per_node, stack.pool.gpu.name),
        machine("other.xlarge", stack.pool.gpus_per_node, stack.pool.gpu.name),
    )
    prices = book(*map(price, (*elsewhere, other)), shapes=shapes)
    missing = f"node/aws/{stack.pricing.region}/{instance_type}/on-demand"
    [conflict] = missing_prices(stack, prices, [PriceMissingError(missing, ())])
    assert missing in conflict.found
    # Regions that begin like the stack's first.
    assert f"{instance_type} in us-x, eu-west-1" in conflict.allowed
    assert f"other.xlarge in {stack.pricing.region}" in conflict.allowed
    assert "breakeven prices refresh --region aws/" in conflict.allowed
    assert not [*missing_prices(stack, prices, [])]


def test_a_price_as_old_as_allowed_is_taken_and_one_a_day_older_is_refused(stack: Stack) -> None:
    limit = stack.pricing.max_age_days
    fresh, old = book(price(G6E, limit)), book(price(G6E, limit + 1))
    for each in (fresh, old):
        each.find(G6E)
    assert not [*stale_prices(stack, fresh)]
    [conflict] = stale_prices(stack, old)
    assert conflict.key == "pricing.maxAgeDays"
    assert f"{G6E} of " in conflict.found
    assert "breakeven prices refresh" in conflict.allowed


def test_a_price_of_a_day_to_come_means_that_the_clock_is_wrong(stack: Stack) -> None:
    ahead = book(price(G6E, -2))
    ahead.find(G6E)
    with pytest.raises(ClockError):
        list(stale_prices(stack, ahead))
    zone = book(price(G6E, -1))  # a day is left for time zones
    zone.find(G6E)
    assert not [*stale_prices(stack, zone)]


def test_a_machine_with_other_gpus_is_refused_and_one_that_is_not_known_is_not(
    stack: Stack,
) -> None:
    name, count = stack.pool.instance_types[0], stack.pool.gpus_per_node
    right = book(shapes=(machine(name, count, stack.pool.gpu.name),))
    assert not [*wrong_shapes(stack, right)]
    assert not [*wrong_shapes(stack, book())]
    for wrong in (machine(name, count + 1, stack.pool.gpu.name), machine(name, 0, None)):
        [conflict] = wrong_shapes(stack, book(shapes=(wrong,)))
        assert conflict.key == "pool.instanceTypes"
        assert f"{name} has {wrong.gpus} x " in conflict.found


def test_a_system_node_without_a_price_in_any_region_is_refused(stack: Stack) -> None:
    [conflict] = system_node_prices(stack, book())
    assert conflict.key == "pricing.systemInstanceType"
    kind = stack.pricing.system_instance_type
    shapes = (machine(kind, 0, None),)
    elsewhere = book(price(f"node/aws/eu-west-1/{kind}/on-demand"), shapes=shapes)
    assert not [*system_node_prices(stack, elsewhere)]
