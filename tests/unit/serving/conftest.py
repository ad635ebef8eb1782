"""Fixtures: the model server of a stack, registered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from components.gpu_pool import create_pool
from components.serving import VllmServing
from tests.recording import Registration, register, settings_of


@pytest.fixture
def served() -> Callable[..., Registration]:
    """Registers pool and server of a stack with some settings replaced."""

    def serve(stack: str, **overrides: object) -> Registration:
        settings = settings_of(stack, **overrides)
        _, registration = register(
            lambda: VllmServing("vllm", settings, create_pool(settings), namespace="llm")
        )
        return registration

    return serve
