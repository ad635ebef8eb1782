"""The drawing of the rooms: each room stands one floor or more above all that it imports.

An arrow that follows from others is left out, so that the drawing stays readable: whoever imports
planning may be expected to import what planning imports. The floors are ordered by barycenters
(Sugiyama), with a lane on every floor that a long arrow passes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from architecture.rooms import FOUNDATIONS, arrows, foundations

_BOX = (120, 34)
_LANE = 10
_GAP = 24
_FLOOR = 88
_MARGIN = 24
_NARROWEST = 680
_GROUND = 50
_SWEEPS = 12

_HEAD = """\
<style>
svg { background: #ffffff; font-family: system-ui, "DejaVu Sans", sans-serif }
rect { fill: #eef4fb; stroke: #3b6ea5; stroke-width: 1.5 }
.f { fill: #f3f3f1; stroke: #8a8a80 }
.t { font-size: 14px; font-weight: 600; text-anchor: middle; fill: #1b2733 }
.l { font-size: 12px; text-anchor: middle; fill: #3a4a58 }
.a { stroke: #5a6a78; stroke-width: 1.4; fill: none }
</style>
<defs><marker id="h" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" \
orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="#5a6a78"/></marker></defs>"""


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """A room on its floor, or the lane of an arrow that passes a floor on its way to that room."""

    floor: int
    room: str
    passing: str = ""

    @property
    def width(self) -> int:
        return _LANE if self.passing else _BOX[0]


def drawing() -> str:
    """Return the drawing as SVG."""
    graph = {room: found - {FOUNDATIONS} for room, found in arrows().items() if room != FOUNDATIONS}
    paths = list(_paths(graph))
    floors = _floors(graph, paths)
    width = max(_NARROWEST, *(_extent(floor) + 2 * _MARGIN for floor in floors))
    centers = dict(_centers(floors, width))
    bottom = len(floors) * _FLOOR
    told = "; ".join(
        f"{room} imports {', '.join(sorted(graph[room]))}" for room in sorted(graph) if graph[room]
    )
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} '
            f'{bottom + _GROUND + 2 * _MARGIN}" role="img" aria-labelledby="title desc">'
        ),
        '<title id="title">The rooms of the package breakeven and their imports</title>',
        f'<desc id="desc">{escape(told)}.</desc>',
        _HEAD,
        *(_line([centers[place] for place in path]) for path in paths),
        *(
            _box(*centers[place], place.room)
            for floor in floors
            for place in floor
            if not place.passing
        ),
        _foundations(width, bottom + _MARGIN),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _paths(graph: Mapping[str, frozenset[str]]) -> Iterator[list[_Place]]:
    """Yield the places of each arrow that follows from no others, from its start to its end."""
    levels = {room: _level(room, graph) for room in graph}
    for room in sorted(graph):
        implied = frozenset[str]().union(*(_reach(one, graph) for one in graph[room]))
        for target in sorted(graph[room] - implied):
            lanes = range(levels[room] - 1, levels[target], -1)
            yield [
                _Place(levels[room], room),
                *(_Place(floor, target, room) for floor in lanes),
                _Place(levels[target], target),
            ]


def _reach(room: str, graph: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return graph[room].union(*(_reach(one, graph) for one in graph[room]))


def _level(room: str, graph: Mapping[str, frozenset[str]]) -> int:
    return max((_level(one, graph) + 1 for one in graph[room]), default=0)


def _floors(
    graph: Mapping[str, frozenset[str]], paths: Sequence[Sequence[_Place]]
) -> list[list[_Place]]:
    """Return the places of each floor from the top, each near those that it is joined to."""
    every = {place for path in paths for place in path}
    every |= {_Place(_level(room, graph), room) for room in graph}
    highest = max(place.floor for place in every)
    floors = [
        sorted(place for place in every if place.floor == floor) for floor in range(highest, -1, -1)
    ]
    joined: dict[_Place, list[_Place]] = {place: [] for place in every}
    for path in paths:
        for upper, lower in itertools.pairwise(path):
            joined[upper].append(lower)
            joined[lower].append(upper)
    position = {
        place: (at + 0.5) / len(floor) for floor in floors for at, place in enumerate(floor)
    }
    for sweep in range(_SWEEPS):
        for floor in floors if sweep % 2 else floors[::-1]:
            wanted = {
                place: sum(position[one] for one in joined[place]) / len(joined[place])
                if joined[place]
                else position[place]
                for place in floor
            }
            floor.sort(key=lambda place: (wanted[place], place))  # used at once
            for at, place in enumerate(floor):
                position[place] = (at + 0.5) / len(floor)
    return floors


def _extent(floor: Sequence[_Place]) -> int:
    return sum(place.width for place in floor) + _GAP * (len(floor) - 1)


def _centers(
    floors: Sequence[Sequence[_Place]], width: int
) -> Iterator[tuple[_Place, tuple[float, float]]]:
    """Yield the middle of each place; the places of a floor share the width evenly."""
    for number, floor in enumerate(floors):
        spare = (width - 2 * _MARGIN - sum(place.width for place in floor)) / (len(floor) + 1)
        left = _MARGIN + spare
        for place in floor:
            yield place, (left + place.width / 2, _MARGIN + _BOX[1] / 2 + number * _FLOOR)
            left += place.width + spare


def _line(points: Sequence[tuple[float, float]]) -> str:
    half, bend = _BOX[1] / 2, (_FLOOR - _BOX[1]) * 0.6
    x, y = points[0]
    steps = [f"M{x:.0f} {y + half:.0f}"]
    for to_x, to_y in points[1:]:
        top = to_y - half
        steps.append(
            f"C{x:.0f} {y + half + bend:.0f} {to_x:.0f} {top - bend:.0f} {to_x:.0f} {top:.0f}"
        )
        if (to_x, to_y) != points[-1]:
            steps.append(f"V{to_y + half:.0f}")
        x, y = to_x, to_y
    return f'<path class="a" marker-end="url(#h)" d="{" ".join(steps)}"/>'


def _box(x: float, y: float, room: str) -> str:
    width, height = _BOX
    return (
        f'<rect x="{x - width / 2:.0f}" y="{y - height / 2:.0f}" width="{width}" '
        f'height="{height}" rx="7"/><text class="t" x="{x:.0f}" y="{y + 5:.0f}">{room}</text>'
    )


def _foundations(width: int, y: int) -> str:
    middle = width // 2
    return (
        f'<rect class="f" x="{_MARGIN}" y="{y}" width="{width - 2 * _MARGIN}" height="{_GROUND}" '
        f'rx="7"/><text class="t" x="{middle}" y="{y + 20}">foundations, for every room</text>'
        f'<text class="l" x="{middle}" y="{y + 38}">{", ".join(foundations())}</text>'
    )
