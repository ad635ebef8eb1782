"""What a real vLLM does that hurts, and that what the kit renders against it holds."""

from __future__ import annotations

import asyncio
import http.client
import select
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from bootstrap.vllm import Vllm
from breakeven.manifests.serving.environment import NO_TELEMETRY
from tests.vllm.client import Stream, stream
from tests.vllm.conftest import Start
from tests.vllm.rendered import KEY, engine_of, localised
from tests.vllm.server import Server, starting

STACK = "dev"
# The longest that a request may take in these tests, in seconds: the setting's least.
SHORT = 10

TELEMETRY = "import vllm.usage.usage_lib as lib; print(lib.is_usage_stats_enabled())"


@pytest.fixture(scope="module")
def bare(vllm: Vllm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A replica without the request guard, as others deploy it."""
    folder = tmp_path_factory.mktemp("bare")
    with starting(engine_of(STACK), vllm, folder, without=("--middleware",)) as server:
        server.wait_until_ready()
        yield server


def test_without_the_guard_anybody_can_have_text_generated(bare: Server) -> None:
    # So the tests of the guard are not about nothing.
    messages = [{"role": "user", "content": "a"}]
    body = {"model": bare.engine.model, "messages": messages, "max_tokens": 3}
    answer = bare.ask("/invocations", key="", method="POST", body=body)
    assert answer.status == 200
    assert answer.json["usage"]["completion_tokens"] == 3
    assert bare.ask("/v1/chat/completions", key="", method="POST", body=body).status == 401


def test_probes_answer_where_there_is_no_key_at_all(start: Start) -> None:
    server = start(STACK, without=("VLLM_API_KEY", "--middleware"))
    server.wait_until_ready()
    for path in server.engine.probes() | {"/metrics", "/v1/models"}:
        assert server.ask(path, key="").status == 200


@pytest.mark.parametrize("variable", ["rendered", "left out"])
def test_a_connection_that_was_idle_for_eight_seconds_is_open_as_rendered(
    start: Start, variable: str
) -> None:
    server = start(
        STACK, without=("VLLM_HTTP_TIMEOUT_KEEP_ALIVE",) if variable == "left out" else ()
    )
    server.wait_until_ready()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    with closing(connection):
        connection.request("GET", "/health")
        connection.getresponse().read()
        time.sleep(8)
        ended, _, _ = select.select([connection.sock], [], [], 0)
    assert bool(ended) == (variable == "left out")


def test_a_stream_that_outlives_the_drain_ends_with_an_error_and_not_with_the_kill(
    start: Start,
) -> None:
    server = start(STACK, **{"engine.longestRequestSeconds": SHORT})
    server.wait_until_ready()

    async def run() -> tuple[Stream, float]:
        async with aiohttp.ClientSession() as session:
            # As many tokens as the model's context has room for, several times over.
            requests = [
                asyncio.create_task(stream(session, server.address, KEY, server.engine.model, 8000))
                for _ in range(24)
            ]
            seconds = await asyncio.to_thread(server.delete)
            answers = [await request for request in requests]
        return next(answer for answer in answers if not answer.is_whole(8000)), seconds

    answer, seconds = asyncio.run(run())
    assert "stopped before the answer was complete" in answer.error
    assert answer.tokens == 0  # no usage is reported, because it is not the whole
    assert not answer.done
    assert server.process.returncode == 0  # it ended by itself
    assert seconds < server.engine.grace


def test_a_replica_that_is_deleted_while_it_starts_ends_at_once(start: Start) -> None:
    # vLLM ignores the signal then: without the hook the kill would end it, at the end of the grace
    # period.
    server = start(STACK)
    server.wait_until(lambda: "EngineCore" in server.output, "starting its engine")
    server.delete()
    assert not server.is_ready()
    assert "Engine core initialization failed" in server.output


@pytest.mark.parametrize("reported", [False, True], ids=["as rendered", "without the variables"])
def test_usage_is_reported_unless_the_environment_forbids_it(
    vllm: Vllm, tmp_path: Path, reported: bool
) -> None:
    environment: Mapping[str, str] = localised(
        engine_of(STACK), tmp_path, vllm.model, 1
    ).environment
    if reported:
        silent = {*NO_TELEMETRY, "VLLM_NO_USAGE_STATS", "VLLM_DO_NOT_TRACK"}
        environment = {name: value for name, value in environment.items() if name not in silent}
    answer = subprocess.run(
        [vllm.python, "-c", TELEMETRY],
        env={**environment, "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split()[-1] == str(reported)
