"""Floods that once filled the gateway's time: others are answered while they go on, and after."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gateway.asking import assert_complete, marked
from tests.gateway.running import Cluster

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["HTTP/2: streams reset", "HTTP/2: streams without end"])
def test_streams_of_http_2_hold_nobody_up(serving: Cluster, name: str) -> None:
    """Thousands of streams came with one read, and were worked on before anybody else's request.

    After four seconds of it by eight clients the gateway answered nobody for minutes.
    """
    command = [sys.executable, "-m", "bench.abuses", name, str(serving.port), serving.model]
    variables = {**os.environ, "TEAM": "poor"}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE) as abuse:
        try:
            assert abuse.stdout
            assert abuse.stdout.readline() == b"begun\n"
            time.sleep(4)
            during = [serving.ask() for _ in range(3)] + marked(serving)
        finally:
            abuse.kill()
    after = [serving.ask() for _ in range(3)]
    assert_complete([*during, *after])
    assert max(one.seconds for one in during) < 10
    assert max(one.seconds for one in after) < 5
    assert "[string" not in serving.log()
