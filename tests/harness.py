"""Registers a stack without an engine, and says what was registered.

Pulumi's mock monitor stands in for the engine. It runs no transforms, so the ledger is filled from
what the mocks saw; tests/engine asserts that the real ledger sees the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pulumi
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from components.cost.ledger import is_counted, plain
from components.cost.quantities import Registered
from components.settings import Settings
from components.deployment import register

_Result = TypeVar("_Result")


class Recorder(Mocks):
    """Remembers every registration and echoes its inputs as its outputs."""

    def __init__(self) -> None:
        self.resources: list[Registered] = []
        self.counted: list[Registered] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        properties = plain(args.inputs)
        assert isinstance(properties, dict)
        resource = Registered(args.name, args.typ, properties)
        self.resources.append(resource)
        if is_counted(args.typ, custom=bool(args.custom)):
            self.counted.append(resource)
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"no invoke is expected, found {args.token}")


def run_under_mocks(program: Coroutine[Any, Any, _Result], recorder: Recorder) -> _Result:
    """Runs a part of the program on an event loop of its own, at preview."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        pulumi.runtime.set_mocks(recorder, project="breakeven", stack="test", preview=True)
        return loop.run_until_complete(program)
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def register_under_mocks(settings: Settings) -> Recorder:
    """Registers a whole stack; resources are in the ledger's order."""
    recorder = Recorder()
    run_under_mocks(register(settings), recorder)
    for resources in (recorder.resources, recorder.counted):
        resources.sort(key=lambda entry: (entry.type, entry.name))
    return recorder
