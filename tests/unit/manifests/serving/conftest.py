"""Fixtures: the model server of a stack, registered."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from breakeven.manifests.gpu_pool import create_pool
from breakeven.manifests.serving import VllmServing
from tests.recording import Registration, as_key, register, settings_of


@cache
def _served(stack: str, overrides: tuple[tuple[str, str], ...]) -> Registration:
    settings = settings_of(stack, **dict(overrides))
    _, registration = register(
        lambda: VllmServing("vllm", settings, create_pool(settings), namespace="llm")
    )
    return registration


@pytest.fixture
def served() -> Callable[..., Registration]:
    """Registers pool and server of a stack with some settings replaced; once for all tests."""

    def serve(stack: str, **overrides: object) -> Registration:
        return _served(stack, as_key(overrides))

    return serve
