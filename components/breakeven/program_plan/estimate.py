"""The estimate of a program: what it registered, priced, and what would lower the bill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.registered import Registered
from breakeven.cost.estimate import estimate, infrastructure_of
from breakeven.cost.report import Report
from breakeven.manifests.endpoints import endpoints_of
from breakeven.manifests.render import planned_cost_components, stack_components
from breakeven.manifests.resource import Component, whole
from breakeven.planning.gateway import gateway_figures
from breakeven.planning.levers import find_levers
from breakeven.planning.notes import update_strategy
from breakeven.planning.planned_cost import planned_costs
from breakeven.planning.rendered_ledger import entries_started_last, ledger_entries
from breakeven.planning.rollouts.candidate import with_candidates
from breakeven.program_plan.answer import ProgramReport
from breakeven.reports.document.writing import as_output, summary
from breakeven.reports.estimate_text import render
from breakeven.reports.sentences.notes import note_sentence
from breakeven.settings.stack import Stack


class ProgramEstimate:
    """Estimates what the stack itself deploys, and searches for changes that lower its bill.

    This runs while the program registers. If the program registers more, it runs again.

    Args:
        values: What the stack states: groups by key, each a mapping or its JSON.
        stack: The stack.
        components: Those that the stack itself deploys.
        assumptions: What the estimate rests on.
    """

    def __init__(
        self,
        values: Mapping[str, object],
        stack: Stack,
        components: tuple[Component, ...],
        assumptions: Assumptions,
    ) -> None:
        self._values, self._stack, self._assumptions = values, stack, assumptions
        own = ledger_entries(components)
        # Registered after the estimate, since it needs the price of a token.
        self._last = entries_started_last(components)
        report = self._with_levers(estimate(own, assumptions), own)
        self._infrastructure, self._own = report.infrastructure, self._answer(report)

    def report(self, entries: Iterable[Registered]) -> ProgramReport:
        """Returns the estimate of what the program registered, except what starts last."""
        registered = (*entries, *self._last)
        if infrastructure_of(registered, self._assumptions) == self._infrastructure:
            return self._own
        report = estimate(registered, self._assumptions)
        return self._answer(self._with_levers(report, registered))

    def _answer(self, report: Report) -> ProgramReport:
        planned = planned_cost_components(self._stack, planned_costs(report))
        rollout = note_sentence(update_strategy(self._stack.models[0]))
        return ProgramReport(
            text=render(report),
            figures=as_output(report),
            outputs={**endpoints_of(self._stack), "rollout": rollout, "cost": summary(report)},
            planned_cost=tuple(map(whole, planned)),
            components=tuple(map(whole, self._priced(report))),
        )

    def _priced(self, report: Report) -> tuple[Component, ...]:
        """Returns the components with the price of a token; none where nothing needs it."""
        if not self._stack.gateway.is_on:
            return ()
        return stack_components(self._stack, gateway_figures(report))

    def _with_levers(self, report: Report, entries: tuple[Registered, ...]) -> Report:
        report = with_candidates(report, self._stack, entries)
        return replace(report, levers=find_levers(self._values, self._stack, report, entries))
