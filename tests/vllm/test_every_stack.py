"""vLLM as each stack starts it: its arguments, its doors, its metrics, and its end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import NamedTuple

import aiohttp
import pytest

from bootstrap.vllm import Vllm
from breakeven.manifests.serving.timings import PRE_STOP
from tests.promql_found import selections_of
from tests.recording import register_stack, stack_of
from tests.vllm.client import CLOSED_CONNECTION, Stream, stream
from tests.vllm.exposition import labels_by_metric
from tests.vllm.rendered import KEY, Engine, all_engines
from tests.vllm.server import Server, starting

# Tokens of callers who send one request after the other.
TOKENS = (1100, 2700)
# Others ask for more (the smallest context has room for it), from these moments on, in
# seconds before the signal: one of them at least runs when it comes, on slow machines and on fast
# ones. Two processors write so much in 10 to 20 s.
LONG_BEFORE_THE_SIGNAL = (15, 8, 4, 2.5, 1.5)
LONG_TOKENS = 4000
CALLERS = len(TOKENS) + len(LONG_BEFORE_THE_SIGNAL)

# Labels that Prometheus adds to what it scrapes: no concern of vLLM.
ADDED = {"namespace", "pod", "job", "container", "endpoint", "instance"}

CHAT = {"messages": [{"role": "user", "content": "a"}], "max_tokens": 3}


_ENGINES = all_engines()


@pytest.fixture(scope="class", params=list(_ENGINES.values()), ids=list(_ENGINES))
def server(
    request: pytest.FixtureRequest, vllm: Vllm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    engine: Engine = request.param
    with starting(engine, vllm, tmp_path_factory.mktemp("replica")) as started:
        started.wait_until_ready()
        yield started


class TestEveryStack:
    """In the order of a replica's life; one start for all."""

    def test_the_arguments_and_the_environment_are_known(self, server: Server) -> None:
        # Unknown flags end vLLM, so it would not be ready; unknown variables are only warned of.
        assert "Unknown vLLM environment variable" not in server.output
        for name in ("served_model_name", "max_model_len", "shutdown_timeout", "middleware"):
            assert re.search(rf"non-default args: .*'{name}'", server.output), name

    def test_it_serves_the_stacks_model(self, server: Server) -> None:
        answer = server.ask("/v1/models")
        [model] = answer.json["data"]
        assert model["id"] == server.engine.model
        assert model["max_model_len"] == server.engine.settings.model.max_length

    def test_probes_and_prometheus_need_no_key(self, server: Server) -> None:
        for path in server.engine.probes() | {"/metrics"}:
            assert server.ask(path, key="").status == 200
            assert server.ask(path, key="wrong").status == 200

    def test_nothing_else_answers_without_the_key(self, server: Server) -> None:
        routes = set(re.findall(r"Route: (\S+), Methods: ([A-Z, ]+)", server.output))
        assert {"/invocations", "/v1/chat/completions"} <= {path for path, _ in routes}
        for path, methods in routes - {("/health", "GET"), ("/metrics", "GET")}:
            for method in methods.split(", "):
                body = {"model": server.engine.model, **CHAT} if method == "POST" else None
                for key in ("", "wrong"):
                    answer = server.ask(path, key=key, method=method, body=body)
                    assert answer.status == 401, f"{method} {path}: {answer.text}"

    def test_the_key_opens(self, server: Server) -> None:
        body = {"model": server.engine.model, **CHAT}
        answer = server.ask("/v1/chat/completions", method="POST", body=body)
        assert answer.status == 200
        assert answer.json["usage"]["completion_tokens"] == 3

    def test_every_metric_that_is_asked_for_exists_with_these_labels(self, server: Server) -> None:
        known = labels_by_metric(server.ask("/metrics", key="").text)
        asked = selections_of(register_stack(stack_of(server.engine.stack)))
        engines = [selection for selection in asked if selection.metric.startswith("vllm:")]
        assert engines or not server.engine.settings.monitoring.enabled
        for selection in engines:
            labels = set(selection.matchers) | set(selection.grouping)
            assert selection.metric in known, f"{selection.metric}, of {selection.expression}"
            assert labels - ADDED <= known[selection.metric], selection.expression

    def test_no_running_request_is_lost_when_the_pod_is_deleted(self, server: Server) -> None:
        ended = asyncio.run(_deleted_under_load(server))
        assert server.process.returncode == 0
        assert ended.seconds < server.engine.grace
        for sent in ended.sent:
            assert sent.is_whole or sent.was_told_to_go_elsewhere, sent
        # The signal came while requests ran, and each caller was sent elsewhere afterwards.
        assert any(sent.is_whole and sent.was_running_at_the_signal for sent in ended.sent)
        assert sum(sent.was_told_to_go_elsewhere for sent in ended.sent) == CALLERS


class _Sent(NamedTuple):
    tokens: int
    after_the_signal: bool
    was_running_at_the_signal: bool
    answer: Stream

    @property
    def is_whole(self) -> bool:
        return self.answer.is_whole(self.tokens)

    @property
    def was_told_to_go_elsewhere(self) -> bool:
        # After the signal, 15 s after the endpoints' change, the server may be closing; a client
        # that has no byte of an answer then sends the request again, as OpenAI's do.
        closed = self.after_the_signal and self.answer is CLOSED_CONNECTION
        return self.answer.was_refused or closed


class _Ended(NamedTuple):
    sent: list[_Sent]
    seconds: float


async def _deleted_under_load(server: Server) -> _Ended:
    """Deletes the pod while callers, who know of nothing, send one request after the other."""

    async def call(tokens: int, after: float = 0) -> list[_Sent]:
        await asyncio.sleep(after)
        sent: list[_Sent] = []
        async with aiohttp.ClientSession() as session:
            while not sent or sent[-1].is_whole:
                late = server.signalled.is_set()
                model = server.engine.model
                answer = await stream(session, server.address, KEY, model, tokens)
                spans = not late and server.signalled.is_set()
                sent.append(_Sent(tokens, late, spans, answer))
        return sent

    callers = [asyncio.create_task(call(tokens)) for tokens in TOKENS]
    callers += [
        asyncio.create_task(call(LONG_TOKENS, after=PRE_STOP - before))
        for before in LONG_BEFORE_THE_SIGNAL
    ]
    seconds = await asyncio.to_thread(server.delete)
    sent = [each for caller in callers for each in await caller]
    return _Ended(sent, seconds)
