"""From a candidate's settings to what its trial costs, and what the stack costs after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from breakeven.cost.bill.candidate import CandidateCost, Outcome, candidate_lines, is_of
from breakeven.cost.bill.registered import GPU_POOL, Registered
from breakeven.cost.estimate import estimate
from breakeven.cost.report import Report
from breakeven.manifests.render import stack_components
from breakeven.planning.inputs import inputs_of
from breakeven.planning.rendered_ledger import ledger_entries
from breakeven.planning.rollouts.share import at_its_share
from breakeven.settings.stack import RolloutCandidate, Stack


def with_candidates(report: Report, stack: Stack, entries: Iterable[Registered]) -> Report:
    """Returns a report with what its stack's candidates cost; as it is where there are none.

    Args:
        report: The estimate of the stack.
        stack: The stack.
        entries: What was registered, which may be more than the stack's own resources.
    """
    if not stack.trials:
        return report
    registered = tuple(entries)
    found = (
        _cost(report, stack, number, model.tried, registered)
        for number, model in enumerate(stack.models)
        if model.tried is not None
    )
    return replace(report, candidates=tuple(found))


def _cost(
    report: Report,
    stack: Stack,
    number: int,
    tried: RolloutCandidate,
    entries: tuple[Registered, ...],
) -> CandidateCost:
    assumptions = report.assumptions
    model = assumptions.models[number]
    name, today = assumptions.stack, assumptions.book.today
    alone = inputs_of(name, at_its_share(tried), (), today).gather()
    lines, not_priced = candidate_lines(_of_candidate(tried, entries), alone)
    promoted = estimate(
        (*ledger_entries(stack_components(tried.promoted)), *_added(stack, entries)),
        inputs_of(name, tried.promoted, (), today).gather(),
    )
    week = alone.planned_week(alone.capacity.requests_per_second)
    is_paid = alone.fleet.fixed_nodes is None
    several = len(stack.models) > 1
    return CandidateCost(
        model=model.model_name,
        unit=model.load.unit,
        objective_seconds=model.simulated.objective_seconds,
        changes=tried.changes,
        traffic_percent=tried.traffic_percent,
        replicas=tried.settings.replicas.max,
        nodes=week.mean_nodes if is_paid else 0,
        lines=tuple(replace(line, model=model.model_name) for line in lines) if several else lines,
        not_priced=not_priced,
        contingency_share=assumptions.staffing.contingency_share,
        unserved_share=week.unserved_share,
        now=_outcome(report, number),
        promoted=_outcome(promoted, number),
    )


def _of_candidate(tried: RolloutCandidate, entries: tuple[Registered, ...]) -> Iterator[Registered]:
    """Yields what is there for it; nodes that models could use are its own, too, if bought."""
    name = tried.settings.name
    shared_nodes = not tried.has_own_pool and tried.settings.pool.can_grow
    for entry in entries:
        if is_of(entry, name) or (entry.type == GPU_POOL and shared_nodes):
            yield entry


def _added(stack: Stack, entries: tuple[Registered, ...]) -> Iterator[Registered]:
    """Yields what the program registered in addition to the stack's own resources."""
    own = {(each.type, each.name) for each in ledger_entries(stack_components(stack))}
    return (each for each in entries if (each.type, each.name) not in own)


def _outcome(report: Report, number: int) -> Outcome:
    model = report.assumptions.models[number]
    return Outcome(
        monthly=report.total,
        usd_per_million_tokens=(
            report if len(report.models) == 1 else report.models[number]
        ).usd_per_million_tokens,
        replica_tokens_per_second=model.capacity.output_tokens_per_second,
        objective_share=model.simulated.totals.objective_share,
    )
