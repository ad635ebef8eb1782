"""What would lower the bill of a stack: each lever is estimated as a stack file that states it.

A full simulation of every candidate would take seconds. So each is first estimated with the week of
the stack as it is; only those that may save most are simulated, together in one run, and only for
the volume of the stack: break-even and ranges, which no lever shows, need most of the weeks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.candidate import without
from breakeven.cost.bill.registered import Registered
from breakeven.cost.estimate import monthly_total
from breakeven.cost.fleet.simulation.configuration import FleetConfiguration
from breakeven.cost.fleet.simulation.curves import SimulatedFleet, at_own_volume
from breakeven.cost.fleet.simulation.enlargement import ServingFleet
from breakeven.cost.fleet.simulation.hours import Case, lead_steps, simulate_hours
from breakeven.cost.fleet.simulation.result import SimulatedWeek
from breakeven.cost.levers import Lever, LeverKind, largest_savings
from breakeven.cost.report import Report
from breakeven.errors import ClockError, PriceBookError
from breakeven.manifests.render import stack_components
from breakeven.planning.fleet import configuration_of, interruptions_of
from breakeven.planning.inputs import Inputs, inputs_of
from breakeven.planning.lever_candidates.changes import candidates_of
from breakeven.planning.lever_candidates.sizes import Candidate
from breakeven.planning.rendered_ledger import ledger_entries
from breakeven.settings.files import with_settings
from breakeven.settings.parse import parse
from breakeven.settings.rollouts.trial import settled_values
from breakeven.settings.stack import Stack

MOST_SIMULATED = 6
"""Candidates whose week is simulated: each takes some tens of milliseconds."""

_OF_STARTS: tuple[LeverKind, ...] = ("schedule", "more-replicas", "scale-down")
"""Kinds that save starts, of which only a simulation knows how many are left."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """A candidate whose settings can be used.

    Attributes:
        candidate: It.
        stack: The stack with its settings.
        inputs: What its estimate rests on.
        cases: What would have to be simulated, a model each.
        saving: USD a month that it saves by the week of the stack as it is.
    """

    candidate: Candidate
    stack: Stack
    inputs: Inputs
    cases: tuple[Case, ...]
    saving: Decimal


SimulateCases: TypeAlias = Callable[[Sequence[Case]], tuple[SimulatedWeek, ...]]
"""What simulates cases of equally many hours and the same lead, as `simulate_hours` does."""


def find_levers(
    values: Mapping[str, object],
    stack: Stack,
    report: Report,
    entries: Iterable[Registered],
    simulate: SimulateCases = simulate_hours,
) -> tuple[Lever, ...]:
    """Returns what would lower the bill and keep every objective of the stack.

    Args:
        values: What the stack states: groups by key, each a mapping or its JSON.
        stack: The stack.
        report: Its estimate.
        entries: What was registered, which may be more than the stack's own resources.
        simulate: Simulates the candidates that may save most.
    """
    return _Levers(values, stack, report, tuple(entries)).found(simulate)


class _Levers:
    """Carries what all candidates are compared with."""

    def __init__(
        self,
        values: Mapping[str, object],
        stack: Stack,
        report: Report,
        entries: tuple[Registered, ...],
    ) -> None:
        # What lowers the bill is about what stays, and a candidate on trial does not.
        self.values = settled_values(values, stack)
        self.stack, self.report = stack, report
        entries = without(entries, report.assumptions.candidates)
        own = {(entry.type, entry.name) for entry in self._ledger(stack)}
        self.entries = entries
        self.added = tuple(each for each in entries if (each.type, each.name) not in own)
        self.configurations = tuple(
            configuration_of(settings, model.load, model.capacity, interruptions_of(settings))
            for settings, model in zip(stack.models, report.assumptions.models, strict=True)
        )

    def found(self, simulate: SimulateCases) -> tuple[Lever, ...]:
        today = self.report.assumptions.book.today
        candidates = candidates_of(self.stack, self.report)
        drafts = [self._draft(candidate, today) for candidate in candidates]
        usable = sorted(
            (draft for draft in drafts if draft is not None and draft.saving > 0),
            key=lambda draft: -draft.saving,
        )
        at_once = [draft for draft in usable if not self._to_simulate(draft)]
        simulated = [draft for draft in usable if self._to_simulate(draft)][:MOST_SIMULATED]
        cases = [case for draft in simulated for case in self._to_simulate(draft)]
        weeks = _simulated(cases, simulate)
        levers = [self._lever(draft, weeks) for draft in simulated]
        found = [lever for lever in levers if lever is not None]
        known: set[LeverKind] = set()
        for draft in at_once:  # the best of its kind comes first
            lever = None if draft.candidate.kind in known else self._lever(draft, weeks)
            if lever is not None:
                known.add(lever.kind)
                found.append(lever)
        return largest_savings(found)

    def _draft(self, candidate: Candidate, today: date) -> _Draft | None:
        """Checks a candidate; None where its settings cannot be used or miss an objective."""
        try:
            stack, problems = parse(with_settings(self.values, candidate.settings))
            inputs = inputs_of(self.report.assumptions.stack, stack, problems, today)
        except (PriceBookError, ClockError):
            return None
        if inputs.problems:
            return None
        cases: list[Case] = []

        def planned(
            rates: NDArray[np.float64], burst: float, configuration: FleetConfiguration, _: float
        ) -> SimulatedFleet:
            place = len(cases)
            cases.append(Case(rates, burst, configuration))
            return self._as_is(place, configuration)

        assumptions = inputs.gather_by(planned)
        if any(model.capacity.missed is not None for model in assumptions.models):
            return None
        saving = self._likely(candidate, assumptions)
        return _Draft(candidate, stack, inputs, tuple(cases), saving)

    def _likely(self, candidate: Candidate, assumptions: Assumptions) -> Decimal:
        if candidate.kind in _OF_STARTS:
            return self.report.starts.monthly / 2
        if candidate.kind == "hybrid" and self.report.hybrid is not None:
            return self.report.total - self.report.hybrid.monthly
        return self.report.total - monthly_total(self.entries, assumptions)

    def _as_is(self, place: int, configuration: FleetConfiguration) -> SimulatedFleet:
        """Returns another fleet with the week of the stack as it is."""
        model = self.report.assumptions.models[place]
        if configuration == self.configurations[place]:
            serving = model.serving or ServingFleet(model.fleet, model.simulated, enlarged=False)
            curve, by_volume = model.fleet.curve, model.fleet.curve_by_volume
            return SimulatedFleet(
                model.simulated, curve, by_volume, serving, model.if_slower or model.fleet
            )
        case = Case(model.load.requests_per_second(), model.load.burst_factor, configuration)
        followed = at_own_volume(case, model.simulated)
        if not configuration.fleet.autoscaling or not model.fleet.autoscaling:
            return followed
        return replace(followed, curve=model.fleet.curve)

    def _to_simulate(self, draft: _Draft) -> list[Case]:
        return [
            case
            for case, own in zip(draft.cases, self.configurations, strict=True)
            if case.configuration != own
        ]

    def _lever(
        self, draft: _Draft, weeks: Mapping[tuple[float, FleetConfiguration], SimulatedWeek]
    ) -> Lever | None:
        """Estimates a candidate; None where it does not keep an objective."""
        places = iter(range(len(draft.cases)))

        def followed(
            rates: NDArray[np.float64], burst: float, configuration: FleetConfiguration, _: float
        ) -> SimulatedFleet:
            place = next(places)
            if configuration == self.configurations[place]:
                return self._as_is(place, configuration)
            return at_own_volume(Case(rates, burst, configuration), weeks[_key(draft.cases[place])])

        assumptions = draft.inputs.gather_by(followed)
        if any(model.serving and model.serving.enlarged for model in assumptions.models):
            return None
        monthly = monthly_total((*self._ledger(draft.stack), *self.added), assumptions)
        return Lever(
            kind=draft.candidate.kind,
            settings=draft.candidate.settings,
            monthly=monthly,
            saving=self.report.total - monthly,
        )

    @staticmethod
    def _ledger(stack: Stack) -> tuple[Registered, ...]:
        return ledger_entries(stack_components(stack))


def _key(case: Case) -> tuple[float, FleetConfiguration]:
    # Of several models two may have equal fleets; their loads differ by the mean.
    return float(case.rates.sum()), case.configuration


def _simulated(
    cases: Sequence[Case], simulate: SimulateCases
) -> dict[tuple[float, FleetConfiguration], SimulatedWeek]:
    """Simulates cases; together those that a run of their own would lead up to alike."""
    together: dict[tuple[int, int], dict[tuple[float, FleetConfiguration], Case]] = {}
    for case in cases:
        together.setdefault((len(case.rates), lead_steps(case)), {})[_key(case)] = case
    found: dict[tuple[float, FleetConfiguration], SimulatedWeek] = {}
    for group in together.values():
        found.update(zip(group, simulate(list(group.values())), strict=True))
    return found
