"""Registers and estimates a stack without an engine, for commands that only need its figures.

Pulumi's mock monitor takes the engine's place. It runs no transforms, so the ledger is filled from
what the monitor was told; tests/engine asserts that the real ledger sees the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from components.cost.assumptions import Assumptions
from components.cost.estimate import estimate
from components.cost.ledger import is_counted, plain
from components.cost.quantities import Registered
from components.cost.report import Report
from components.costing import assumptions_of
from components.deployment import register
from components.errors import SeveralModelsError, UnknownStackError
from components.gateway import TokenPrices
from components.policy.loading import as_manifest
from components.policy.manifest import Resource
from components.project import stack_names, stack_values
from components.settings import parse
from components.settings_groups import BoundarySettings
from components.settings_types import Settings

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


def ledger_of(settings: Settings) -> tuple[Registered, ...]:
    """Returns what a stack registers, as the ledger holds it at preview.

    But for the prices in a gateway's configuration: they follow from the estimate, which is made
    from the ledger, and nothing that is read from it depends on them.
    """
    monitor = _CountingMonitor()
    run_offline(lambda: register(settings, TokenPrices.none), monitor)
    return tuple(sorted(monitor.counted, key=lambda entry: (entry.type, entry.name)))


@dataclass(frozen=True, slots=True)
class LoadedStack:
    """A stack file, read and checked."""

    settings: Settings
    assumptions: Assumptions

    def ledger(self, precision: str | None = None) -> tuple[Registered, ...]:
        """Returns what the stack registers, with weights of another precision if one is given."""
        return ledger_of(self.settings if precision is None else self.with_precision(precision))

    def with_precision(self, precision: str) -> Settings:
        """Returns the settings with weights of another precision."""
        return replace(self.settings, model=replace(self.settings.model, precision=precision))


def read_stack(stack: str, **changed: str) -> Settings:
    """Reads a stack file for commands that ask nothing about money.

    Args:
        stack: Name of a stack file in stacks/.
        changed: Settings that are not as in the file, by key.

    Raises:
        UnknownStackError: There is no such stack file.
        SettingsError: The stack file has mistakes; all but those about prices are named.
    """
    if stack not in stack_names():
        raise UnknownStackError(stack, stack_names())
    settings, reader = parse({**stack_values(stack), **changed})
    reader.raise_problems(stack)
    return settings


def manifests_of_stack(stack: str) -> tuple[tuple[Resource, ...], BoundarySettings]:
    """Returns the manifests that a stack file registers, and the boundary that it states.

    Raises:
        UnknownStackError: There is no such stack file.
        SettingsError: The stack file has mistakes; all but those about prices are named.
    """
    settings = read_stack(stack)
    found = (
        as_manifest(entry.type, entry.name, entry.properties or {}, f"stack {stack}")
        for entry in ledger_of(settings)
    )
    return tuple(resource for resource in found if resource is not None), settings.boundary


def load_stack(stack: str, today: date | None = None) -> LoadedStack:
    """Reads a stack file and looks its prices up.

    Args:
        stack: Name of a stack file in stacks/.
        today: Day on which prices are looked up; the present day if None.

    Raises:
        UnknownStackError: There is no such stack file.
        SettingsError: The stack file has mistakes; all are named.
    """
    if stack not in stack_names():
        raise UnknownStackError(stack, stack_names())
    settings, reader = parse(stack_values(stack))
    day = today or datetime.now(tz=UTC).date()
    return LoadedStack(settings, assumptions_of(stack, settings, reader, day))


def load_stack_of_one_model(stack: str, command: str) -> LoadedStack:
    """Reads a stack file for a command that knows one model.

    Args:
        stack: Name of a stack file in stacks/.
        command: By which messages name it.

    Raises:
        UnknownStackError: There is no such stack file.
        SettingsError: The stack file has mistakes; all are named.
        SeveralModelsError: The stack serves several models.
    """
    loaded = load_stack(stack)
    if loaded.settings.others:
        raise SeveralModelsError(stack, command, "Give one model a stack file of its own for it")
    return loaded


def estimate_stack(stack: str, today: date) -> Report:
    """Estimates a stack file without an engine.

    Args:
        stack: Name of a stack file in stacks/.
        today: Day on which prices are looked up.

    Raises:
        UnknownStackError: There is no such stack file.
        SettingsError: The stack file has mistakes.
    """
    loaded = load_stack(stack, today)
    return estimate(loaded.ledger(), loaded.assumptions)


class _Echo(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        msg = f"a stack asks nothing of providers, but called {args.token}"
        raise AssertionError(msg)


class _CountingMonitor(OfflineMonitor):
    def __init__(self) -> None:
        super().__init__()
        self.counted: list[Registered] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # as above
        response = super().RegisterResource(request)
        if is_counted(request.type, custom=request.custom):
            properties = plain(self.resources[response.urn].state)
            known = properties if isinstance(properties, Mapping) else None
            self.counted.append(Registered(request.name, request.type, known))
        return response
