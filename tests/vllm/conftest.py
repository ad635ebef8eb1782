"""The CPU build of vLLM; where it cannot be installed, its tests are skipped and say why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bootstrap import vllm as installation
from bootstrap.layout import Layout
from bootstrap.vllm import Vllm
from breakeven.settings.files import ROOT
from tests.vllm.rendered import engine_of
from tests.vllm.server import Server, starting

Start = Callable[..., Server]


@pytest.fixture(scope="session")
def vllm() -> Vllm:
    layout = Layout.of(ROOT, os.environ)
    reason = installation.obstacle(layout)
    if reason:
        # The only reason for which a test of this project is skipped.
        pytest.skip(f"vllm-check is skipped, vLLM for CPUs cannot be installed here: {reason}")
    found = installation.find(layout)
    if found is None:
        pytest.fail("vLLM is not installed yet; `make vllm-check` does it and runs this")
    return found


@pytest.fixture
def start(vllm: Vllm, tmp_path: Path) -> Iterator[Start]:
    """Starts a stack's vLLM, with settings replaced; it ends with the test."""
    with ExitStack() as servers:

        def run(stack: str, *, without: tuple[str, ...] = (), **overrides: object) -> Server:
            folder = tmp_path / f"replica-{len(list(tmp_path.iterdir()))}"
            engine = engine_of(stack, **overrides)
            return servers.enter_context(starting(engine, vllm, folder, without=without))

        yield run
