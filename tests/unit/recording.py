"""Components registered against Pulumi's mocks, which take the place of engine and cluster."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockMonitor, MockResourceArgs

from components.base import KitComponent
from components.project import stack_names, stack_values
from components.settings import Settings, parse

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
    inputs: Mapping[str, Any]
    dependencies: tuple[str, ...]
    create_timeout: str

    @property
    def kind(self) -> str:
        return self.type.rpartition(":")[2]

    @property
    def spec(self) -> Any:
        return self.inputs["spec"]

    @property
    def metadata(self) -> Any:
        return self.inputs["metadata"]

    @property
    def pod(self) -> Any:
        return self.spec["template"]["spec"]

    @property
    def container(self) -> Any:
        [container] = self.pod["containers"]
        return container

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
                    inputs=self.resources[urn].state,
                    dependencies=tuple(request.dependencies),
                    create_timeout=request.customTimeouts.create,
                )
            )
        return response


def register(make: Callable[[], KitComponent]) -> tuple[KitComponent, Registration]:
    """Makes a component and waits until it and its children are registered."""
    registration = Registration()
    pulumi.runtime.set_mocks(
        _Mocks(), project="breakeven", stack="test", monitor=_Monitor(registration)
    )

    async def run() -> KitComponent:
        component = make()
        awaited = [component, *component.resources]
        await asyncio.gather(*(resource.urn.future() for resource in awaited))
        return component

    return asyncio.get_event_loop().run_until_complete(run()), registration
