"""Stacks, and what they deploy, as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from breakeven.manifests.gateway.figures import GatewayFigures
from breakeven.manifests.render import planned_cost_components, render, stack_components
from breakeven.manifests.resource import Component, Resource
from breakeven.planning.gateway import gateway_figures
from breakeven.planning.offline import estimate_stack
from breakeven.planning.planned_cost import planned_costs
from breakeven.settings.files import PER_MODEL, stack_names, stack_values, with_settings
from breakeven.settings.parse import parse, raise_problems
from breakeven.settings.stack import Settings, Stack

_Stated = TypeVar("_Stated", Settings, Stack)
_Result = TypeVar("_Result")
_Rest = ParamSpec("_Rest")

STACKS = stack_names()


def settings_of(stack: str, **overrides: object) -> Settings:
    """The settings of the first model of a stack file; arguments as of `stack_of`."""
    return stack_of(stack, **overrides).models[0]


def stack_of(name: str, /, **overrides: object) -> Stack:
    """A stack file, some settings replaced by dotted key; fails on any mistake."""
    return _stack(name, as_key(overrides))


def as_key(overrides: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """Overrides as the command line of Pulumi may state them; told apart by their values."""
    return tuple(
        (key, value if isinstance(value, str) else json.dumps(value))
        for key, value in overrides.items()
    )


def _of_first(values: Mapping[str, object], key: str) -> str:
    """The key of a stack with a list of models that is the first model's setting."""
    own = "models" in values and key.partition(".")[0] in PER_MODEL
    return f"models[0].{key}" if own else key


@cache
def _stack(name: str, overrides: tuple[tuple[str, str], ...]) -> Stack:
    # Nothing can be changed in them, so hundreds of tests share those of a stack.
    values = stack_values(name)
    changes = {_of_first(values, key): value for key, value in overrides}
    stack, problems = parse(with_settings(values, changes))
    raise_problems(name, problems)
    return stack


FETCHING = tuple(stack for stack in STACKS if settings_of(stack).fetches_weights)
"""Stacks whose weights are fetched by a Job; the others find them."""


@dataclass(frozen=True)
class Recorded:
    """One rendered resource."""

    resource: Resource

    @property
    def type(self) -> str:
        return self.resource.type

    @property
    def name(self) -> str:
        return self.resource.name

    @property
    def kind(self) -> str:
        return self.resource.kind

    @property
    def timeout_seconds(self) -> int | None:
        return self.resource.timeout_seconds

    @property
    def inputs(self) -> Mapping[str, Any]:
        return self.resource.manifest

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
        return other.resource.key in self.resource.depends_on


@dataclass(frozen=True)
class Registration:
    """Rendered resources."""

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


def resources_of(*components: Component) -> Registration:
    """The resources of components."""
    return _of(
        resource
        for component in components
        for resource in (*component.resources, *component.started_last)
    )


def _of(resources: Iterable[Resource]) -> Registration:
    return Registration([Recorded(resource) for resource in resources])


def once(
    make: Callable[Concatenate[_Stated, _Rest], _Result],
) -> Callable[Concatenate[_Stated, _Rest], _Result]:
    """Makes a function that registers something do it once for the same arguments.

    Settings hold mappings, which have no hash, so they are compared by identity, as
    those of a stack are (see settings_of). Nothing may be changed in what is returned.
    """
    kept: dict[tuple[object, ...], tuple[_Stated, _Result]] = {}

    @wraps(make)
    def remembered(settings: _Stated, /, *rest: _Rest.args, **named: _Rest.kwargs) -> _Result:
        key = (id(settings), *rest, *named.items())
        if key not in kept:
            # The settings are kept, too: an id is another's as soon as its object is gone.
            kept[key] = settings, make(settings, *rest, **named)
        return kept[key][1]

    return remembered


@once
def register_stack(stack: Stack, prices: GatewayFigures | None = None) -> Registration:
    """Renders everything that a stack has, but for what is made from its own estimate."""
    return _of(render(stack, prices))


def register_priced(stack: str, today: date) -> Registration:
    """Renders a stack file as the program would on that day, with what its estimate gives."""
    return resources_of(*priced_components(stack, today))


def priced_components(name: str, today: date) -> tuple[Component, ...]:
    """The components of a stack file as the program would register them on that day."""
    stack, report = stack_of(name), estimate_stack(name, today)
    return (
        *stack_components(stack, gateway_figures(report)),
        *planned_cost_components(stack, planned_costs(report)),
    )
