"""The hybrid option costs what the stack would cost if its file said so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from breakeven.cost.estimate import estimate
from breakeven.cost.hybrid import Hybrid
from breakeven.planning.offline import LoadedStack, load_stack, load_values, read_stack
from breakeven.settings.files import stack_names, stack_values, with_settings
from tests.each import each

TODAY = date(2026, 11, 23)

OF_ONE_MODEL = tuple(name for name in stack_names() if len(read_stack(name).models) == 1)


def _written(loaded: LoadedStack, split: Hybrid, api: str) -> Mapping[str, object]:
    """Returns the stack's values in mode hybrid, with as many replicas as the split has."""
    settings = loaded.settings
    replicas = split.nodes * settings.replicas_per_node
    changed: dict[str, object] = {
        "gateway.mode": "hybrid",
        "gateway.overflow.address": "https://api.example.com/v1",
        "gateway.overflow.requestsPerReplica": 4096,
        "replicas.autoscaling": False,
        "replicas.min": replicas,
        "replicas.max": replicas,
    }
    if not settings.gateway.teams:
        changed["gateway.teams"] = {"all": {}}
    if api != settings.api.in_use:
        changed |= {"api.inUse": api, "api.terms": {}}
    if not settings.pool.can_grow:
        changed["pool.nodeCount"] = split.nodes * settings.engine.pipeline_parallel
    return with_settings(loaded.values, changed)


def _same_in_mode_hybrid(name: str, loaded: LoadedStack) -> None:
    report = loaded.report()
    assert (report.hybrid is not None) == loaded.settings.network.data_may_leave
    if report.hybrid is None:
        return
    [option] = [one for one in report.verdict.options if one.choice == "hybrid"]
    split = report.hybrid
    hybrid = load_values(name, _written(loaded, split, option.api), TODAY)
    # The simulated week decides what overflows; here it is the split's share.
    assumptions = hybrid.assumptions
    totals = replace(assumptions.simulated.totals, overflow_share=1 - split.own_share)
    assumptions = replace(assumptions, simulated=replace(assumptions.simulated, totals=totals))
    written = estimate(hybrid.ledger(), assumptions)
    # A bill rounds each of its lines and the contingency to a cent; an option is not rounded.
    rounding = Decimal("0.005") * (len(written.infrastructure.lines) + len(written.staffing) + 1)
    assert abs(split.monthly - written.total) <= rounding * 2


@each("name", OF_ONE_MODEL)
def test_the_hybrid_option_costs_what_the_stack_written_as_hybrid_costs(name: str) -> None:
    _same_in_mode_hybrid(name, load_stack(name, TODAY))


def test_so_it_does_where_the_stack_has_a_gateway_and_would_need_a_second_set_of_pods() -> None:
    teams = {"product": {}, "legal": {"dataMayLeave": False}}
    changed = {"gateway.enabled": True, "gateway.teams": teams}
    values = with_settings(stack_values("aws-prod"), changed)
    _same_in_mode_hybrid("aws-prod", load_values("aws-prod", values, TODAY))
