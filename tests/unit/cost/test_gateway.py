"""Pods of a gateway follow the traffic, and cost what CPU nodes cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.gateway_work import SECONDS_PER_CHUNK, SECONDS_PER_REQUEST
from breakeven.cost.bill.charge import Driver, UnpricedReason
from breakeven.cost.bill.pricing import price_infrastructure
from breakeven.cost.estimate import estimate
from breakeven.cost.gateway import gateway_curve, gateway_peak
from breakeven.planning.offline import load_stack, load_values
from breakeven.settings.files import stack_values, with_settings
from tests.golden.test_golden import TODAY
from tests.unit.cost.builders import GATEWAY_PODS as PODS
from tests.unit.cost.builders import WEEK, assumptions

HYBRID = load_stack("hybrid", TODAY)


def test_the_example_has_pods_for_its_own_peak() -> None:
    """The note of 2026-11-29: 4,148 tokens a second of its own replicas, and the API's beside."""
    report = HYBRID.report()
    peak = report.gateway_peak
    assert peak is not None
    capacity, fleet = report.assumptions.capacity, report.assumptions.fleet
    assert peak.chunks_per_second > 3 * capacity.requests_per_second * 256
    assert fleet.highest * 256 * capacity.requests_per_second < peak.chunks_per_second
    cores = (
        peak.requests_per_second * SECONDS_PER_REQUEST + peak.chunks_per_second * SECONDS_PER_CHUNK
    )
    assert peak.cores == pytest.approx(cores)
    # Each of them uses at most the share of its CPU at which another is added.
    assert peak.cores / peak.pods <= 0.5 * 0.6


@given(st.integers(1, 10**11), st.floats(1, 20), st.integers(1, 4000))
def test_the_busiest_minute_finds_pods_below_their_target(
    tokens: int, burst: float, output: int
) -> None:
    load = replace(
        assumptions().load, tokens_per_day=tokens, burst_factor=burst, output_tokens=output
    )
    peak = gateway_peak(PODS, [load])
    assert peak.pods >= PODS.lowest
    assert peak.cores <= peak.pods * PODS.cores * (1 + 1e-6)
    assert peak.pods == PODS.lowest or (peak.pods - 1) * PODS.cores < peak.cores


@given(st.integers(10**6, 10**11))
def test_pods_beyond_the_lowest_come_with_volume_only(tokens: int) -> None:
    curve = gateway_curve(PODS, [assumptions().load])
    beyond = curve.beyond(float(tokens))
    assert 0 <= beyond <= curve.beyond(tokens * 2.0)
    volumes = np.linspace(0, tokens, 7)
    assert (np.diff(curve.at(volumes)) >= 0).all()
    assert curve.at(volumes)[-1] == pytest.approx(beyond)
    assert not curve.beyond(0.0)


def test_what_always_runs_does_not_depend_on_the_load_and_the_rest_does() -> None:
    def lines(factor: int) -> dict[str, Decimal]:
        base = HYBRID.assumptions
        load = replace(base.load, tokens_per_day=base.load.tokens_per_day * factor)
        found = estimate(HYBRID.ledger(), replace(base, load=load)).infrastructure.lines
        return {line.kind: line.quantity for line in found}

    once, ten = lines(1), lines(10)
    # Two pods of half a core in each of two sets and the store's 0.3, of a machine of four.
    assert once["gateway-nodes"] == ten["gateway-nodes"] == Decimal("2.3") / 4 * 730
    assert ten["gateway-nodes-of-load"] > 10 * once["gateway-nodes-of-load"]


def test_the_total_at_a_volume_is_that_of_the_staircase() -> None:
    base = HYBRID.assumptions
    load = replace(base.load, tokens_per_day=base.load.tokens_per_day * 20)
    report = estimate(HYBRID.ledger(), replace(base, load=load))
    bill = report.bill
    each = bill.usd_for_each(Driver.GATEWAY_PODS)
    staircase = report.staircase(lambda model: model.capacity.requests_per_second)
    assert staircase.gateway is not None
    beyond = staircase.gateway.beyond(load.tokens_per_day)
    monthly = staircase.gateway_pod_monthly * Decimal(repr(beyond))
    assert staircase.gateway_pod_monthly == 2 * each
    assert abs(monthly - bill.gateway_monthly) < Decimal("0.02")
    # Fixed costs hold none of it.
    assert bill.fixed_monthly < bill.without_nodes_monthly - bill.gateway_monthly + Decimal("0.01")


@pytest.mark.parametrize("machine", ["", "a.machine.that.nobody.knows"])
def test_pods_without_a_known_cpu_node_are_named_as_not_priced(machine: str) -> None:
    base = assumptions()
    cluster = replace(base.cluster, gateway=PODS, system_nodes=0, system_instance_type=machine)
    found = price_infrastructure([], WEEK, replace(base, cluster=cluster))
    [item] = [one for one in found.not_priced if one.name == "gateway"]
    assert item.reason is UnpricedReason.CPU_NODES_UNKNOWN
    assert not [line for line in found.lines if line.kind.startswith("gateway")]


def test_a_second_set_of_pods_costs_as_much_as_the_first() -> None:
    changed = with_settings(stack_values("hybrid"), {"gateway.separateInside": False})
    one, two = load_values("hybrid", changed, TODAY).report(), HYBRID.report()
    [alone], [both] = (
        [line.quantity for line in report.infrastructure.lines if line.kind == "gateway-nodes"]
        for report in (one, two)
    )
    assert both - alone == Decimal("1.0") / 4 * 730


def test_a_pod_takes_the_larger_of_its_shares_of_cpu_and_memory() -> None:
    pods = replace(PODS, other_millicores=300, other_memory_bytes=2**32)
    assert pods.share_of_node(4, 16.0) == (Decimal("0.125"), Decimal("0.25"))
    assert pods.share_of_node(64, 16.0)[0] == Decimal("0.0625")
