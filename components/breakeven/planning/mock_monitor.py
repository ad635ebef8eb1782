"""Pulumi's mock monitor in the engine's place, for whoever needs what a program registers.

It runs no transforms, so the ledger is filled from what the monitor was told; tests/engine asserts
that the real ledger sees the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

import pulumi
from breakeven.cost.bill.classify import Registered
from breakeven.resources.ledger import is_counted, plain

_Result = TypeVar("_Result")


class OfflineMonitor(MockMonitor):
    """Takes registrations in the engine's place and echoes inputs as outputs."""

    def __init__(self) -> None:
        super().__init__(_Echo())

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # the name of the remote call
        """Takes one registration; Pulumi calls it in a thread of its own."""
        # There the mocks would make an event loop and leave it open.
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]  # of Pulumi
        finally:
            asyncio.set_event_loop(None)
            loop.close()


class CountingMonitor(OfflineMonitor):
    """Also counts what the ledger would count."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: list[Registered] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # as above
        """Takes one registration, and counts it if it may cost something."""
        response = super().RegisterResource(request)
        if is_counted(request.type, custom=request.custom):
            properties = plain(self.resources[response.urn].state)
            known = properties if isinstance(properties, Mapping) else None
            self.counted.append(Registered(request.name, request.type, known))
        return response


def run_offline(
    program: Callable[[], Coroutine[Any, Any, _Result]], monitor: OfflineMonitor
) -> _Result:
    """Runs a program as at preview, on an event loop of its own."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(
            monitor.mocks, project="breakeven", stack="offline", preview=True, monitor=monitor
        )
        result = loop.run_until_complete(program())
        loop.run_until_complete(loop.shutdown_default_executor())
        return result
    finally:
        asyncio.set_event_loop(None)
        loop.close()


class _Echo(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        msg = f"a stack asks nothing of providers, but called {args.token}"
        raise AssertionError(msg)
