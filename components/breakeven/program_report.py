"""All that the Pulumi program needs of an estimate, in one module that is loaded late.

Its imports take as long as the engine takes to start its provider, so the program loads it in a
thread in the meantime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.registered import Registered
from breakeven.cost.estimate import estimate
from breakeven.cost.report import Report
from breakeven.manifests.gateway.prices import TokenPrices
from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.planning.inputs import token_prices
from breakeven.planning.notes import update_strategy
from breakeven.planning.planned_cost import planned_costs
from breakeven.reports.estimate_text import render
from breakeven.reports.json_report import as_output, summary
from breakeven.reports.sentences.notes import note_sentence
from breakeven.settings.stack import Stack


@dataclass(frozen=True, slots=True)
class ProgramReport:
    """The estimate of what a program registers, in every form that the program needs."""

    report: Report

    @property
    def token_prices(self) -> TokenPrices:
        """What a token costs, for the budgets of a gateway."""
        return token_prices(self.report)

    @property
    def planned_costs(self) -> tuple[PlannedCost, ...]:
        """The figures of each model, for Prometheus."""
        return planned_costs(self.report)

    @property
    def text(self) -> str:
        """The tables of a preview."""
        return render(self.report)

    @property
    def figures(self) -> dict[str, object]:
        """All figures, as the inputs of a resource."""
        return as_output(self.report)

    def outputs(self, stack: Stack) -> dict[str, object]:
        """Returns the outputs of the stack: how an update goes, and the cost in short."""
        rollout = update_strategy(stack.models[0])
        return {"rollout": note_sentence(rollout), "cost": summary(self.report)}


def reporting(
    gather: Callable[[], Assumptions],
) -> Callable[[Iterable[Registered]], ProgramReport]:
    """Gathers the assumptions, and returns what estimates with them.

    Args:
        gather: Simulates the week of the stack, which takes a tenth of a second.
    """
    assumptions = gather()
    return lambda entries: ProgramReport(estimate(tuple(entries), assumptions))
