"""Holds an estimate against what happened, and tells which of its assumptions was off.

Each observed figure is put in the place of what the stack plans, alone, and the estimate is run
again: the change of the monthly total is that figure's effect. Effects of several need not add up,
because the estimate is not linear in them; therefore all are also put in at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.bill import Bill, bill_of
from breakeven.cost.bill.candidate import CandidateCost, without
from breakeven.cost.bill.charge import Driver
from breakeven.cost.bill.line_item import monthly_of
from breakeven.cost.bill.node_cost import RentedNode
from breakeven.cost.bill.pricing import price_infrastructure
from breakeven.cost.bill.registered import Registered
from breakeven.cost.demand.load import SECONDS_PER_DAY
from breakeven.cost.estimate import estimate
from breakeven.cost.reconciliation.explanation import Actual, Explanation, Stage, explain
from breakeven.cost.reconciliation.observations import CostCovers, Observed, ObservedError
from breakeven.cost.reconciliation.parts import planned_parts
from breakeven.cost.reconciliation.result import (
    Changes,
    Figure,
    ObservedCost,
    Reconciliation,
    Row,
    same,
    together,
)
from breakeven.cost.report import Report
from breakeven.money import to_decimal

_SETTINGS: Mapping[Figure, str] = {
    "tokensPerDay": "traffic.tokensPerDay",
    "inputTokensPerRequest": "traffic.inputTokens",
    "outputTokensPerRequest": "traffic.outputTokens",
}
"""Settings that state what was observed."""

_TRAFFIC: frozenset[Figure] = frozenset({*_SETTINGS, "burstFactor"})
_CAPACITY: tuple[Figure, str] = (
    "outputTokensPerSecondPerReplica",
    "engine.measuredOutputTokensPerSecond",
)
_CAPACITY_OF_TEXTS: tuple[Figure, str] = (
    "textsPerSecondPerReplica",
    "engine.measuredTextsPerSecond",
)
"""Figure and setting of what a replica serves, of models that write and of those that read."""


def reconcile(
    resources: Iterable[Registered],
    assumptions: Assumptions,
    observed: Observed,
    assumptions_with: Callable[[Changes], Assumptions],
    trial: CandidateCost | None = None,
) -> Reconciliation:
    """Puts what was observed in the place of what was planned.

    Args:
        resources: The ledger.
        assumptions: Those of the stack as its file states them.
        observed: What happened.
        assumptions_with: Returns the stack's assumptions with some settings changed.
        trial: What a candidate on trial costs; it is planned in addition, and its nodes are among
            the observed ones. None without one.

    Raises:
        ObservedError: Nothing was observed, or an hourly price for nodes that are owned.
    """
    own = without(tuple(resources), assumptions.candidates)
    return _Reconciler(own, assumptions, observed, assumptions_with, trial).result()


class _Reconciler:
    def __init__(
        self,
        resources: tuple[Registered, ...],
        assumptions: Assumptions,
        observed: Observed,
        assumptions_with: Callable[[Changes], Assumptions],
        trial: CandidateCost | None,
    ) -> None:
        self.resources = resources
        self.trial = trial
        self.of_trial = Decimal(0) if trial is None else trial.monthly
        self.observed = observed
        self.assumptions_with = assumptions_with
        self.planned = estimate(resources, assumptions)

    def result(self) -> Reconciliation:
        inputs = [self.with_effect(row) for row in self.inputs()]
        changes = together(inputs)
        explained = self.report_with(changes) if changes else self.planned
        bill = self.with_observed_nodes(explained)
        cost = self.cost(bill)
        rows = [*inputs, *self.results()]
        if not rows and cost is None:
            msg = "nothing was observed. Give at least one file with figures"
            raise ObservedError(msg)
        if cost is not None:
            rows.append(_plain("costPerMonth", cost.planned, cost.observed))
        return Reconciliation(
            stack=self.planned.assumptions.stack,
            rows=tuple(sorted(rows, key=lambda row: abs(row.effect or Decimal(0)), reverse=True)),
            planned=self.planned.total + self.of_trial,
            by_settings=explained.total + self.of_trial,
            by_all=bill.total + self.of_trial,
            cost=cost,
            explanation=self.explanation(inputs),
        )

    def explanation(self, inputs: Iterable[Row]) -> Explanation | None:
        """Parts the difference to a bill; None if no bill tells what each part of it is for."""
        observed = self.observed
        if observed.parts is None:
            return None
        traffic = [row for row in inputs if row.figure in _TRAFFIC]
        capacity = [row for row in inputs if row.figure in {_CAPACITY[0], _CAPACITY_OF_TEXTS[0]}]
        replaced = together([*traffic, *capacity])
        by_traffic = self._replaced(together(traffic))
        by_capacity = self._replaced(replaced) if capacity else by_traffic
        return explain(
            planned=self._stage(self.planned),
            with_traffic=self._stage(by_traffic) if traffic else None,
            with_capacity=self._stage(by_capacity) if capacity else None,
            with_hours=self._stage(by_capacity, self.mean_nodes()),
            actual=Actual(
                parts=observed.parts,
                people=observed.people_per_month,
                api=observed.api_per_month,
            ),
        )

    def _replaced(self, changes: Changes) -> Report:
        return self.report_with(changes) if changes else self.planned

    def _stage(self, report: Report, nodes: float | None = None) -> Stage:
        """Returns the sums of an estimate, with the observed nodes if there are some."""
        week = report.week if nodes is None else replace(report.week, mean_nodes=nodes)
        assumptions = report.assumptions
        lines = price_infrastructure(self.resources, week, assumptions).lines
        return Stage(
            bill=bill_of(self.resources, week, assumptions),
            parts=planned_parts((*lines, *(self.trial.lines if self.trial else ()))),
            trial=self.trial,
        )

    def inputs(self) -> list[Row]:
        """Returns the observed figures that settings state; effects are not known yet."""
        observed, assumptions = self.observed, self.planned.assumptions
        load = assumptions.load
        rows: list[Row] = []

        def add(figure: Figure, planned: object, seen: object, changes: Changes) -> None:
            rows.append(replace(_plain(figure, planned, seen), changes=changes))

        lengths: tuple[tuple[Figure, int, int | None], ...] = (
            ("tokensPerDay", load.tokens_per_day, observed.tokens_per_day),
            ("inputTokensPerRequest", load.input_tokens, observed.input_tokens),
            ("outputTokensPerRequest", load.output_tokens, observed.output_tokens),
        )
        for figure, planned, seen in lengths:
            if seen is not None:
                add(figure, planned, seen, {_SETTINGS[figure]: seen})
        if (burst := observed.burst_factor) is not None:
            add("burstFactor", load.burst_factor, burst, {"traffic.burstFactor": str(burst)})
        if (speed := self.replica_speed()) is not None:
            capacity = assumptions.capacity
            reads = load.unit != "request"
            figure, setting = _CAPACITY_OF_TEXTS if reads else _CAPACITY
            serves = capacity.requests_per_second if reads else capacity.output_tokens_per_second
            add(figure, serves, speed, {setting: f"{speed:.1f}"})
        if (price := observed.node_price_per_hour) is not None:
            if not isinstance(assumptions.node, RentedNode):
                msg = (
                    "nodePricePerHour: the nodes of this stack are owned and have no price an "
                    "hour. Leave it out, or set pricing.nodes to stated"
                )
                raise ObservedError(msg)
            listed = assumptions.node.price
            stated: Changes = {
                "pricing.nodes": "stated",
                "pricing.nodePricePerHour": f"{price:f}",
                "pricing.commitmentPercent": 0,  # a stated price is one with its discount
            }
            add("nodePricePerHour", listed.usd, price, stated)
            rows[-1] = replace(rows[-1], private=listed.private)
        return rows

    def replica_speed(self) -> float | None:
        """Returns a replica's observed output tokens per second, measured or from its busy time.

        Of texts that are only read, texts a second.

        Tokens served over the seconds in which replicas worked: paid ones times their busy share.
        """
        observed, assumptions = self.observed, self.planned.assumptions
        if observed.output_tokens_per_second is not None:
            return observed.output_tokens_per_second
        tokens, nodes, busy = observed.tokens_per_day, self.mean_nodes(), observed.busy_share
        if tokens is None or nodes is None or busy is None:
            return None
        output = observed.output_tokens or assumptions.load.output_tokens
        length = (observed.input_tokens or assumptions.load.input_tokens) + output
        working = nodes * assumptions.fleet.replicas_per_node * busy
        return tokens / SECONDS_PER_DAY * max(output, 1) / length / working

    def mean_nodes(self) -> float | None:
        """Returns the model's observed nodes as the simulation counts them: a replica's as one.

        A candidate's nodes always run and are as planned: the rest is the model's.
        """
        nodes = self.observed.mean_nodes
        if nodes is None:
            return None
        return max(nodes - self._nodes_of_trial(), 0.0) / self._machines()

    def _nodes_of_trial(self) -> float:
        return 0.0 if self.trial is None else self.trial.nodes

    def results(self) -> list[Row]:
        """Returns the observed figures that follow from others."""
        observed, planned = self.observed, self.planned
        rows: list[Row] = []
        if observed.mean_nodes is not None:
            hours = planned.assumptions.calendar.hours_per_month
            row = _plain(
                "nodeHoursPerMonth",
                to_decimal(planned.week.mean_nodes * self._machines() + self._nodes_of_trial())
                * hours,
                to_decimal(observed.mean_nodes) * hours,
            )
            effect = self.with_observed_nodes(planned).total - planned.total
            rows.append(replace(row, effect=effect))
        if observed.people_per_month is not None:
            staffing = planned.bill.staffing_monthly
            rows.append(_plain("staffingPerMonth", staffing, observed.people_per_month))
        if observed.api_per_month is not None:
            # A stack that sends nothing to an API is compared with one.
            api = planned.bill.by_api_monthly or planned.api.monthly
            rows.append(_plain("apiPerMonth", api, observed.api_per_month))
        if observed.busy_share is not None:
            rows.append(_plain("busyShare", planned.week.busy_share, observed.busy_share))
        return rows

    def with_effect(self, row: Row) -> Row:
        if not row.differs:
            return replace(row, effect=Decimal(0))
        return replace(row, effect=self.report_with(row.changes).total - self.planned.total)

    def report_with(self, changes: Changes) -> Report:
        return estimate(self.resources, self.assumptions_with(changes))

    def with_observed_nodes(self, report: Report) -> Bill:
        """Returns an estimate's bill with the observed nodes in place of the simulated ones."""
        nodes = self.mean_nodes()
        if nodes is None or same(nodes, report.week.mean_nodes):
            return report.bill
        return bill_of(self.resources, replace(report.week, mean_nodes=nodes), report.assumptions)

    def _machines(self) -> int:
        return self.planned.assumptions.fleet.machines_per_node

    def cost(self, explained: Bill) -> ObservedCost | None:
        observed, covers = self.observed.cost_per_month, self.observed.cost_covers
        if observed is None or covers is None:
            return None
        return ObservedCost(
            covers=covers,
            planned=self._covered(self.planned.bill, covers),
            explained=self._covered(explained, covers),
            observed=observed,
        )

    def _covered(self, bill: Bill, covers: CostCovers) -> Decimal:
        lines = self.trial.lines if self.trial else ()
        if covers == "nodes":
            of_trial = monthly_of(line for line in lines if line.driver is Driver.NODES)
            return bill.nodes_monthly + of_trial
        return bill.nodes_monthly + bill.other_infrastructure_monthly + monthly_of(lines)


def _plain(figure: Figure, planned: object, observed: object) -> Row:
    return Row(
        figure=figure,
        planned=Decimal(str(planned)),
        observed=Decimal(str(observed)),
        effect=None,
        changes={},
    )
