"""The estimate of a program: what it registered, priced, and what would lower the bill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.registered import Registered
from breakeven.cost.estimate import estimate
from breakeven.cost.report import Report
from breakeven.estimate_process import ProgramReport
from breakeven.manifests.render import stack_components
from breakeven.planning.inputs import token_prices
from breakeven.planning.levers import find_levers
from breakeven.planning.notes import update_strategy
from breakeven.planning.planned_cost import planned_costs
from breakeven.planning.rendered_ledger import ledger_entries
from breakeven.reports.document.writing import as_output, summary
from breakeven.reports.estimate_text import render
from breakeven.reports.sentences.notes import note_sentence
from breakeven.settings.stack import Stack


class ProgramEstimate:
    """Searches what would lower the bill at once, for what the stack itself deploys.

    So that is done while the program registers. A program that registers more has it searched
    again.

    Args:
        values: What the stack states: groups by key, each a mapping or its JSON.
        stack: The stack.
        assumptions: What the estimate rests on.
    """

    def __init__(
        self, values: Mapping[str, object], stack: Stack, assumptions: Assumptions
    ) -> None:
        self._values, self._stack, self._assumptions = values, stack, assumptions
        own = ledger_entries(stack_components(stack))
        self._own = self._with_levers(estimate(own, assumptions), own)

    def report(self, entries: Iterable[Registered]) -> ProgramReport:
        """Returns the estimate of what the program registered."""
        registered = tuple(entries)
        report = estimate(registered, self._assumptions)
        if report.infrastructure == self._own.infrastructure:
            report = replace(report, levers=self._own.levers)
        else:
            report = self._with_levers(report, registered)
        rollout = note_sentence(update_strategy(self._stack.models[0]))
        return ProgramReport(
            text=render(report),
            figures=as_output(report),
            outputs={"rollout": rollout, "cost": summary(report)},
            planned_costs=planned_costs(report),
            token_prices=token_prices(report) if self._stack.gateway.is_hybrid else None,
        )

    def _with_levers(self, report: Report, entries: tuple[Registered, ...]) -> Report:
        return replace(report, levers=find_levers(self._values, self._stack, report, entries))
