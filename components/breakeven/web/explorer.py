"""What the page shows for a state: the estimate of a stack with some settings changed.

The same functions as for `breakeven estimate`; what is kept between requests is in `Weeks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.currency import US_DOLLAR
from breakeven.cost.estimate import estimate
from breakeven.cost.fleet.simulation.curves import SimulateFleet
from breakeven.cost.report import Report
from breakeven.errors import UserError
from breakeven.planning.inputs import inputs_of
from breakeven.planning.levers import find_levers
from breakeven.planning.offline import LoadedStack, ledger_of, load_values
from breakeven.reports import tables
from breakeven.reports.availability import availability
from breakeven.reports.formatting import shown_in, usd, usd_per_million
from breakeven.reports.layout import Table
from breakeven.reports.page import templates
from breakeven.reports.plots.series import volume_series, week_series
from breakeven.reports.plots.volume import cost_by_volume
from breakeven.reports.plots.week import week
from breakeven.reports.sentences.recommendation import summary
from breakeven.settings.files import with_settings
from breakeven.settings.parse import parse, raise_problems
from breakeven.web.controls import Control, changes_of, controls_of
from breakeven.web.machines import MachineChoice, machine_choices
from breakeven.web.weeks import Weeks

Answer = dict[str, Any]
"""What the page's script gets, as JSON."""


class UnknownControlError(UserError):
    """The state names something that cannot be moved."""

    def __init__(self, unknown: list[str], allowed: tuple[str, ...]) -> None:
        super().__init__(
            f"unknown: {', '.join(unknown)}. Allowed: {', '.join(allowed)}. Other settings are "
            "those of the stack file"
        )


POINTS = 240
"""Volumes at which the staircase is drawn."""


@dataclass(kw_only=True)
class Explorer:
    """A stack of one model whose settings are moved.

    Attributes:
        name: Of the stack.
        values: What it states.
        today: Day on which prices are looked up.
        stack_file: Returns the text of the stack file with settings changed, by dotted key.
    """

    name: str
    values: Mapping[str, object]
    today: date
    stack_file: Callable[[Mapping[str, object]], str]
    weeks: Weeks = field(default_factory=Weeks)

    @cached_property
    def base(self) -> LoadedStack:
        """The stack as its file states it.

        Raises:
            SettingsError: The file has mistakes.
        """
        return load_values(self.name, self.values, self.today)

    @cached_property
    def machines(self) -> tuple[MachineChoice, ...]:
        """The machines that its pool could have."""
        return machine_choices(self.base.stack, self.base.report())

    @cached_property
    def controls(self) -> tuple[Control, ...]:
        """What can be moved."""
        return controls_of(self.base, self.machines)

    def moved(self, state: Mapping[str, str]) -> dict[str, object]:
        """Returns the settings that a state changes.

        Args:
            state: Texts by key of a control.

        Raises:
            UnknownControlError: Something is stated that can not be moved.
        """
        own = {control.key: control.value for control in self.controls}
        unknown = [key for key in state if key not in own]
        if unknown:
            raise UnknownControlError(unknown, tuple(own))
        changed = {key: text for key, text in state.items() if text != own[key]}
        return changes_of(changed, self.base, self.machines)

    def bill(self, state: Mapping[str, str]) -> Answer:
        """Returns what the stack's own week is enough for: bill, APIs, hours of the week.

        Raises:
            SettingsError: Settings cannot be used; all mistakes are named.
        """
        changes = self.moved(state)
        _, report = self._report(changes, self.weeks.own)
        with shown_in(report.assumptions.currency):
            # Sentences below the bill compare it with the fleet that serves everything.
            shown = [replace(tables.self_hosted(report), notes=()), tables.by_api(report)]
            hosted = report.compared_hosted
            figures = [
                ("Self-hosted", usd(report.total)),
                ("Per 1M tokens", usd_per_million(report.usd_per_million_tokens)),
                ("API in use", usd(report.api.monthly)),
                ("Same model, hosted API", usd(hosted.monthly) if hosted else "none known"),
            ]
            [model] = report.models
            return {
                "heading": [f"{line}." for line in tables.heading(report)],
                "figures": figures,
                "sections": {table.name: section(table) for table in shown},
                "week": {
                    "description": week(report, model).description,
                    **_series(week_series(model.assumptions)),
                },
                "stackFile": self.stack_file(changes),
                "changed": sorted(changes),
            }

    def whole(self, state: Mapping[str, str]) -> Answer:
        """Returns what needs weeks of other volumes: the recommendation, break-even, staircase.

        Raises:
            SettingsError: Settings cannot be used; all mistakes are named.
        """
        _, report = self._report(self.moved(state), self.weeks.whole)
        with shown_in(report.assumptions.currency):
            shown = [
                tables.options(report),
                tables.break_even(report),
                tables.self_hosted(report),
                tables.sources(report),
            ]
            if report.availability is not None:
                shown.append(availability(report))
            return {
                "summary": summary(report.verdict),
                "findings": [*tables.findings(report)],
                "sections": {table.name: section(table) for table in shown},
                "volume": _volume(report),
            }

    def levers(self, state: Mapping[str, str]) -> Answer:
        """Returns what would lower the bill.

        Raises:
            SettingsError: Settings cannot be used; all mistakes are named.
        """
        changes = self.moved(state)
        loaded, report = self._report(changes, self.weeks.whole)
        found = find_levers(
            loaded.values, loaded.stack, report, loaded.ledger(), self.weeks.candidates
        )
        with shown_in(report.assumptions.currency):
            return {"sections": {"levers": section(tables.levers(replace(report, levers=found)))}}

    def _report(
        self, changes: Mapping[str, object], simulate: SimulateFleet
    ) -> tuple[LoadedStack, Report]:
        values = with_settings(self.values, changes)
        stack, problems = parse(values)
        inputs = inputs_of(self.name, stack, problems, self.today)
        raise_problems(self.name, inputs.problems)
        loaded = LoadedStack(stack, inputs.gather_by(simulate), values)
        return loaded, estimate(ledger_of(stack), loaded.assumptions)


def section(table: Table) -> str:
    """Returns a table with its notes as HTML."""
    text = templates().get_template("section.html.j2").render(table=table)
    return "\n".join(line.strip() for line in text.splitlines())


def _volume(report: Report) -> Answer:
    series = volume_series(report, POINTS)
    with shown_in(US_DOLLAR):
        description = cost_by_volume(report).description
    return {
        "description": description,
        "volumes": _rounded(series.volumes),
        "own": _rounded(series.own),
        "low": _rounded(series.low),
        "high": _rounded(series.high),
        "planned": series.planned,
        "apis": [
            {
                "name": line.name,
                "sameModel": line.same_model,
                "monthly": _rounded(line.monthly),
                "crossing": line.crossing,
            }
            for line in series.apis
        ],
    }


def _series(series: object) -> dict[str, list[float]]:
    return {
        name: _rounded(getattr(series, name), 3)
        for name in ("demand", "paid", "peak", "replicas", "nodes")
    }


def _rounded(values: NDArray[np.float64], digits: int = 0) -> list[float]:
    return [float(value) if digits else int(value) for value in np.round(values, digits)]
