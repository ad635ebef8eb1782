"""Components registered against Pulumi's mocks, which take the place of engine and cluster."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pulumi
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs

from components import deployment
from components.base import KitComponent
from components.cost.ledger import is_counted, plain
from components.cost.quantities import Registered
from components.project import stack_names, stack_values
from components.settings import Settings, parse

_Result = TypeVar("_Result")

STACKS = stack_names()


def settings_of(stack: str, **overrides: object) -> Settings:
    """The settings of a stack file, some of them replaced, by key; fails on any mistake."""
    wire = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in overrides.items()
    }
    settings, reader = parse({**stack_values(stack), **wire})
    reader.raise_problems(stack)
    return settings


@dataclass(frozen=True)
class Recorded:
    """One registered resource, as the engine would see it."""

    type: str
    name: str
    custom: bool
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
    def pod(self) -> Any:
        return _mapping(self.spec["template"]["spec"])

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

    def ledger(self) -> list[Registered]:
        """What the ledger would hold. Mocks run no transforms; tests/engine compares with it."""
        counted = [
            Registered(resource.name, resource.type, _properties(resource))
            for resource in self.resources
            if is_counted(resource.type, custom=resource.custom)
        ]
        return sorted(counted, key=lambda entry: (entry.type, entry.name))

    def of(self, kind: str) -> list[Recorded]:
        return [resource for resource in self.resources if resource.kind == kind]

    def one(self, kind: str) -> Recorded:
        [resource] = self.of(kind)
        return resource


def _mapping(value: Any) -> Mapping[str, Any]:
    assert isinstance(value, Mapping)
    return value


def _properties(resource: Recorded) -> Mapping[str, object]:
    properties = plain(resource.inputs)
    assert isinstance(properties, Mapping)
    return properties


class _Mocks(pulumi.runtime.Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], None]:
        message = f"unexpected call of {args.token}"
        raise AssertionError(message)


class _Monitor(MockMonitor):
    """The mocks' monitor, which also keeps what mocks are not told: dependencies and timeouts."""

    def __init__(self, registration: Registration) -> None:
        super().__init__(_Mocks())
        self._registration = registration

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the name of the remote call
        # Runs in a thread of its own, where the mocks would make an event loop and leave it open.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # SDK
        finally:
            asyncio.set_event_loop(None)
            loop.close()
        if request.type != "pulumi:pulumi:Stack":
            urn = self.make_urn(request.parent, request.type, request.name)
            self._registration.resources.append(
                Recorded(
                    type=request.type,
                    name=request.name,
                    custom=request.custom,
                    inputs=self.resources[urn].state,
                    dependencies=tuple(request.dependencies),
                    create_timeout=request.customTimeouts.create,
                )
            )
        return response


def record(program: Callable[[], Coroutine[Any, Any, _Result]]) -> tuple[_Result, Registration]:
    """Runs a part of the program, at preview and on an event loop of its own."""
    registration = Registration()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(
            _Mocks(),
            project="breakeven",
            stack="test",
            preview=True,
            monitor=_Monitor(registration),
        )
        result = loop.run_until_complete(program())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return result, registration


def register(make: Callable[[], KitComponent]) -> tuple[KitComponent, Registration]:
    """Makes a component and waits until it and its children are registered."""

    async def run() -> KitComponent:
        component = make()
        awaited = [component, *component.resources]
        await asyncio.gather(*(resource.urn.future() for resource in awaited))
        return component

    return record(run)


def register_stack(settings: Settings) -> Registration:
    """Registers everything that a stack has."""
    return record(lambda: deployment.register(settings))[1]
