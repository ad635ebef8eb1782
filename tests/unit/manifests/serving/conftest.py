"""Fixtures: the model server of a stack, rendered."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from breakeven.manifests.gpu_pool import pool_of
from breakeven.manifests.serving.component import serving_component
from tests.recording import Registration, as_key, resources_of, stack_of


@cache
def _served(stack: str, overrides: tuple[tuple[str, str], ...]) -> Registration:
    read = stack_of(stack, **dict(overrides))
    return resources_of(serving_component("vllm", read.models[0], pool_of(read)))


@pytest.fixture
def served() -> Callable[..., Registration]:
    """Renders the server of a stack with some settings replaced; once for all tests."""

    def serve(stack: str, **overrides: object) -> Registration:
        return _served(stack, as_key(overrides))

    return serve
