"""Pulumi's mock monitor in the engine's place, for tests of what the program registers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Registered:
    """One registered resource, as the engine would see it."""

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    dependencies: frozenset[str]
    create_timeout: str
    version: str
    provider: str

    def depends_on(self, other: Registered) -> bool:
        return other.urn in self.dependencies


def registered_by(
    program: Callable[[], Coroutine[Any, Any, _Result]],
) -> tuple[_Result, list[Registered]]:
    """Runs a program as at preview, on an event loop of its own; what it registers, in order."""
    monitor = _Monitor()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(
            monitor.mocks, project="breakeven", stack="test", preview=True, monitor=monitor
        )
        result = loop.run_until_complete(program())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return result, monitor.registered


class _Monitor(MockMonitor):
    def __init__(self) -> None:
        super().__init__(_Echo())
        self.registered: list[Registered] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the name of the remote call
        """Takes one registration; Pulumi calls it in a thread of its own."""
        # There the mocks would make an event loop and leave it open.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # of Pulumi
        finally:
            asyncio.set_event_loop(None)
            loop.close()
        if request.type != "pulumi:pulumi:Stack":
            self.registered.append(
                Registered(
                    urn=response.urn,
                    type=request.type,
                    name=request.name,
                    inputs=self.resources[response.urn].state,
                    dependencies=frozenset(request.dependencies),
                    create_timeout=request.customTimeouts.create,
                    version=request.version,
                    provider=request.provider,
                )
            )
        return response


class _Echo(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        msg = f"a stack asks nothing of providers, but called {args.token}"
        raise AssertionError(msg)
