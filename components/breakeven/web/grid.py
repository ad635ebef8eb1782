"""The page as one file: the model evaluated beforehand at the points of a grid.

Nothing in between is interpolated: a fleet grows in steps, so that a value between two points may
be far from both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product

from breakeven.counts import read_count
from breakeven.errors import UserError
from breakeven.reports.formatting import counted
from breakeven.web.answers import refusal
from breakeven.web.controls import MACHINE, Control, count_text
from breakeven.web.explorer import Answer, Explorer
from breakeven.web.page import page_in_a_file

_VOLUMES = tuple(map(Decimal, ("0.1", "0.25", "0.5", "1", "2", "4", "10")))
"""Times the stack's own volume."""

_ENGINEER = (0, 2)
"""Times the stack's own share of an engineer, beside that one itself."""

_MACHINES = 3
"""The stack's own, and the cheapest others."""


@dataclass(frozen=True, slots=True)
class InteractivePage:
    """The page and what it holds.

    Attributes:
        html: The page.
        points: How many points were evaluated.
    """

    html: str
    points: int


def interactive_page(explorer: Explorer) -> InteractivePage:
    """Returns the page with every point of its grid.

    Args:
        explorer: Answers for the stack.
    """
    axes = _axes(explorer)
    shared = _Shared()
    points = {
        ",".join(map(str, places)): _point(explorer, axes, places, shared)
        for places in product(*(range(len(_values(axis))) for axis in axes))
    }
    grid = {
        "axes": [{"key": axis.key, "values": _values(axis)} for axis in axes],
        "points": points,
        "shared": shared.values,
    }
    names = ", ".join(f"{axis.label} ({len(_values(axis))} values)" for axis in axes)
    holds = f"{counted(len(points), 'point')}: {names}"
    html = page_in_a_file(explorer.name, explorer.today, axes, grid, holds)
    return InteractivePage(html, len(points))


def _values(axis: Control) -> list[str]:
    return [value for value, _ in axis.options] if axis.options else [*axis.steps]


def _axes(explorer: Explorer) -> tuple[Control, ...]:
    """Returns the controls of the file, each with few positions."""
    known = {control.key: control for control in explorer.controls}
    tokens = known["traffic.tokensPerDay"]
    own = read_count(tokens.value)
    volumes = sorted({max(1, int(own * times)) for times in _VOLUMES})
    people = known["staffing.engineerPercent"]
    share = int(people.value)
    shares = sorted({share, *(share * times for times in _ENGINEER)} if share else {0, 20, 50})
    axes = [replace(tokens, steps=tuple(map(count_text, volumes)))]
    machine = known.get(MACHINE)
    if machine is not None and len(machine.options) > 1:
        others = [each for each in machine.options if each[0] != machine.value]
        chosen = [machine.value, *(name for name, _ in others[: _MACHINES - 1])]
        axes.append(replace(machine, options=tuple(o for o in machine.options if o[0] in chosen)))
    return (*axes, replace(people, steps=tuple(map(str, shares))))


class _Shared:
    """Values that several points share, each once."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._places: dict[str, int] = {}

    def place(self, value: object) -> int:
        text = json.dumps(value)
        if text not in self._places:
            self._places[text] = len(self.values)
            self.values.append(value)
        return self._places[text]


def _point(
    explorer: Explorer, axes: Sequence[Control], places: Sequence[int], shared: _Shared
) -> dict[str, object]:
    state = {axis.key: _values(axis)[place] for axis, place in zip(axes, places, strict=True)}
    parts: Mapping[str, Callable[[Mapping[str, str]], Answer]] = {
        "bill": explorer.bill,
        "whole": explorer.whole,
        "levers": explorer.levers,
    }
    found: dict[str, object] = {}
    for name, ask in parts.items():
        try:
            answer = ask(state)
        except UserError as error:
            return {"bill": _stored(refusal(error), shared)}
        if name == "bill":  # the whole answer has it again, with the sentences below it
            kept = {each: text for each, text in answer["sections"].items() if each != "bill"}
            answer = {**answer, "sections": kept}
        found[name] = _stored(answer, shared)
    return found


def _stored(answer: Mapping[str, object], shared: _Shared) -> dict[str, object]:
    return {
        name: {key: shared.place(each) for key, each in value.items()}
        if isinstance(value, Mapping) and name in {"sections", "week", "volume"}
        else shared.place(value)
        for name, value in answer.items()
    }
