"""Components registered against Pulumi's mocks, which take the place of engine and cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from breakeven.manifests.gateway import TokenPrices
from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.planning.inputs import token_prices
from breakeven.planning.mock_monitor import OfflineMonitor, run_offline
from breakeven.planning.offline import estimate_stack
from breakeven.planning.planned_cost import planned_costs
from breakeven.resources import deployment
from breakeven.resources.component import KitComponent
from breakeven.settings.files import stack_names, stack_values, wire
from breakeven.settings.parse import parse
from breakeven.settings.stack import Settings

_Result = TypeVar("_Result")
_Rest = ParamSpec("_Rest")

STACKS = stack_names()


def settings_of(stack: str, **overrides: object) -> Settings:
    """The settings of a stack file, some of them replaced, by key; fails on any mistake."""
    return _settings(stack, as_key(overrides))


def as_key(overrides: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Overrides in the form in which Pulumi hands them to a program; told apart by their values."""
    return tuple((key, wire(value)) for key, value in overrides.items())


@cache
def _settings(stack: str, overrides: tuple[tuple[str, str], ...]) -> Settings:
    # Nothing can be changed in them, so hundreds of tests share those of a stack.
    settings, reader = parse({**stack_values(stack), **dict(overrides)})
    reader.raise_problems(stack)
    return settings


FETCHING = tuple(stack for stack in STACKS if settings_of(stack).fetches_weights)
"""Stacks whose weights are fetched by a Job; the others find them."""


@dataclass(frozen=True)
class Recorded:
    """One registered resource, as the engine would see it."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    create_timeout: str

    @property
    def kind(self) -> str:
        return self.type.rpartition(":")[2]

    @property
    def spec(self) -> Any:
        return _mapping(self.inputs["spec"])

    @property
    def metadata(self) -> Any:
        return _mapping(self.inputs["metadata"])

    @property
    def template(self) -> Any:
        """The pods' template; where a replica spans several nodes, that of its first."""
        group = self.spec.get("leaderWorkerTemplate")
        return _mapping(self.spec["template"] if group is None else group["leaderTemplate"])

    @property
    def pod(self) -> Any:
        return _mapping(self.template["spec"])

    @property
    def container(self) -> Any:
        [container] = self.pod["containers"]
        return _mapping(container)

    def depends_on(self, other: Recorded) -> bool:
        return any(urn.endswith(f"{other.type}::{other.name}") for urn in self.dependencies)


@dataclass(frozen=True)
class Registration:
    """Everything that was registered."""

    resources: list[Recorded] = field(default_factory=list)

    def of(self, kind: str) -> list[Recorded]:
        return [resource for resource in self.resources if resource.kind == kind]

    def one(self, kind: str) -> Recorded:
        [resource] = self.of(kind)
        return resource

    @property
    def fetching(self) -> Recorded:
        """The Job that fills the only volume, after the one that sees whether it can."""
        [resource] = [job for job in self.of("Job") if "--check" not in job.container["args"]]
        return resource

    @property
    def engine(self) -> Recorded:
        """What owns the pods that serve."""
        [resource] = [*self.of("Deployment"), *self.of("LeaderWorkerSet")]
        return resource


def _mapping(value: Any) -> Mapping[str, Any]:
    assert isinstance(value, Mapping)
    return value


class _Monitor(OfflineMonitor):
    """Also keeps what mocks are not told: dependencies and timeouts."""

    def __init__(self, registration: Registration) -> None:
        super().__init__()
        self._registration = registration

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the name of the remote call
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            urn = self.make_urn(request.parent, request.type, request.name)
            self._registration.resources.append(
                Recorded(
                    type=request.type,
                    name=request.name,
                    inputs=self.resources[urn].state,
                    dependencies=tuple(request.dependencies),
                    create_timeout=request.customTimeouts.create,
                )
            )
        return response


def record(program: Callable[[], Coroutine[Any, Any, _Result]]) -> tuple[_Result, Registration]:
    """Runs a part of the program and keeps what it registers."""
    registration = Registration()
    return run_offline(program, _Monitor(registration)), registration


def register(make: Callable[[], KitComponent]) -> tuple[KitComponent, Registration]:
    """Makes a component and waits until it and its children are registered."""

    async def run() -> KitComponent:
        component = make()
        awaited = [component, *component.resources]
        await asyncio.gather(*(resource.urn.future() for resource in awaited))
        return component

    return record(run)


def once(
    make: Callable[Concatenate[Settings, _Rest], _Result],
) -> Callable[Concatenate[Settings, _Rest], _Result]:
    """Makes a function that registers something do it once for the same arguments.

    Settings hold mappings, which have no hash, so they are told apart by being the same object, as
    those of a stack are (see settings_of). Nothing may be changed in what is returned.
    """
    kept: dict[tuple[object, ...], tuple[Settings, _Result]] = {}

    @wraps(make)
    def remembered(settings: Settings, /, *rest: _Rest.args, **named: _Rest.kwargs) -> _Result:
        key = (id(settings), *rest, *named.items())
        if key not in kept:
            # The settings are kept, too: an id is another's as soon as its object is gone.
            kept[key] = settings, make(settings, *rest, **named)
        return kept[key][1]

    return remembered


@once
def register_stack(settings: Settings, prices: TokenPrices | None = None) -> Registration:
    """Registers everything that a stack has."""
    return record(lambda: deployment.register(settings, lambda: prices or TokenPrices.none()))[1]


def register_priced(stack: str, today: date) -> Registration:
    """Registers a stack file as the program would on that day, with what its estimate gives."""
    settings, report = settings_of(stack), estimate_stack(stack, today)
    registered = register_stack(settings, token_prices(report))
    planned = register_planned_cost(settings, planned_costs(report))
    return Registration([*registered.resources, *planned.resources])


def register_planned_cost(settings: Settings, planned: Sequence[PlannedCost]) -> Registration:
    """Registers what a stack has from its own estimate."""
    return record(lambda: deployment.register_planned_cost(settings, planned))[1]
