"""A real vLLM behind the real gateway: every path that it serves, and counts exact to the token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bootstrap.vllm import Vllm
from tests.gateway.asking import eventually
from tests.gateway.client import Answer, prompt
from tests.gateway.running import Cluster
from tests.vllm.rendered import KEY, Engine, engine_of
from tests.vllm.server import Server, starting

HERE = "127.0.0.1"
STACK = "aws-prod"
BEHIND: dict[str, object] = {"gateway.enabled": True, "network.tlsSecret": ""}
TEAMS: dict[str, dict[str, object]] = {"product": {}, "small": {"maxOutputTokens": 4}}
OF_ENGINE = {**BEHIND, "gateway.teams": TEAMS}
SECRETS = {("vllm-api-key", "api-key"): KEY}

WRITES = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages")
READS = ("/v1/embeddings", "/v1/rerank", "/v1/score")
POOLING: dict[str, object] = {
    "model.name": "bge-m3",
    "model.repository": "BAAI/bge-m3",
    "api.inUse": "openai/text-embedding-3-small",
    "traffic.cachedInputPercent": 0,
    "traffic.sharedPrefixTokens": 0,
}
LENGTH = {
    "/v1/chat/completions": "max_tokens",
    "/v1/completions": "max_tokens",
    "/v1/responses": "max_output_tokens",
    "/v1/messages": "max_tokens",
}
TOKENS = 12
TEXT = "the quick brown fox jumps over the lazy dog"


@dataclass
class Behind:
    """The gateway and the one replica behind it."""

    gateway: Cluster
    server: Server

    def ask(self, path: str, *, key: str = "sk-product", **more: object) -> Answer:
        body = {"model": self.gateway.model, **prompt(path, TEXT), **more}
        return self.gateway.call("POST", path, key=key, body=body)

    def counted(self) -> tuple[int, int]:
        """Tokens that the gateway has counted, read and written."""
        names = ("input_tokens", "output_tokens")
        read, written = (
            int(self.gateway.metric(f"envoy_gateway_{name}", to="own", team="product"))
            for name in names
        )
        return read, written

    def worked(self) -> tuple[int, int]:
        """Tokens that vLLM itself says that it has read and written."""
        text = self.server.ask("/metrics").text

        def total(name: str) -> int:
            found = re.findall(rf"^vllm:{name}_tokens_total{{.*}} (\S+)$", text, re.MULTILINE)
            return int(sum(map(float, found)))

        return total("prompt"), total("generation")

    def increases(self, during: Callable[[], Answer]) -> tuple[Answer, tuple[int, int]]:
        """What both count for one answer; fails if they never agree."""
        counted, worked = self.counted(), self.worked()
        answer = during()
        assert answer.status == 200, answer
        assert answer.by == "own"

        def more() -> list[tuple[int, int]]:
            pairs = ((self.counted(), counted), (self.worked(), worked))
            return [(now[0] - then[0], now[1] - then[1]) for now, then in pairs]

        eventually(lambda: more()[0] == more()[1] != (0, 0))
        return answer, more()[0]


# The tiny model is a decoder, whose last token has seen the others; bge-m3's first one has.
AS_A_DECODER = '--pooler-config={"pooling_type": "LAST"}'


def behind(engine: Engine, vllm: Vllm, folder: Path) -> Iterator[Behind]:
    place, own = folder / "replica", folder / "gateway"
    place.mkdir()
    own.mkdir()
    writes = engine.settings.model.facts.generates
    without, added = ((), ()) if writes else (("--pooler-config",), (AS_A_DECODER,))
    with starting(engine, vllm, place, without=without, added=added) as server:
        server.wait_until_ready()
        overrides = {**BEHIND, **({} if writes else POOLING)}
        gateway = Cluster(
            own,
            teams=TEAMS,
            stack=STACK,
            secrets=SECRETS,
            engine_port=server.port,
            overrides=overrides,
        )
        try:
            gateway.write_names(HERE)
            gateway.wait_for_ready(HERE)
            yield Behind(gateway, server)
            assert "script log" not in gateway.log(), "a program failed"
        finally:
            gateway.close()


@pytest.fixture(scope="module")
def writer(vllm: Vllm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    engine = engine_of(STACK, **OF_ENGINE)
    yield from behind(engine, vllm, tmp_path_factory.mktemp("writer"))


@pytest.fixture(scope="module")
def reader(vllm: Vllm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    engine = engine_of(STACK, **OF_ENGINE, **POOLING)
    yield from behind(engine, vllm, tmp_path_factory.mktemp("reader"))


def usage_in(answer: Answer) -> tuple[int, int] | None:
    """Tokens read and written that an answer, or the last part of a stream, tells its client."""
    found: list[str] = re.findall(r'"usage":\s*({[^{}]*(?:{[^{}]*}[^{}]*)*})', answer.text)
    told: list[dict[str, Any]] = [json.loads(one) for one in found]
    if not told:
        return None
    merged = {key: value for one in told for key, value in one.items() if value is not None}
    read = merged.get("prompt_tokens", merged.get("input_tokens", 0))
    written = merged.get("completion_tokens", merged.get("output_tokens", 0))
    return read, written


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("stream", [False, True])
def test_each_path_that_writes_answers_and_is_counted_to_the_token(
    writer: Behind, path: str, *, stream: bool
) -> None:
    asked: dict[str, Any] = {LENGTH[path]: TOKENS, "stream": stream, "temperature": 0}
    answer, (read, written) = writer.increases(lambda: writer.ask(path, **asked))
    assert read > 0
    assert 0 < written <= TOKENS
    assert not answer.cut
    told = usage_in(answer)
    if path in WRITES[:2] and stream:
        assert told is None, "the client did not ask for a stream's usage"
    else:
        assert told == (read, written)


@pytest.mark.parametrize("path", READS)
def test_each_path_that_reads_answers_and_is_counted_to_the_token(
    reader: Behind, path: str
) -> None:
    answer, (read, written) = reader.increases(lambda: reader.ask(path))
    assert read > 0
    assert written == 0
    found = json.loads(answer.text)
    assert found.get("data") or found.get("results")


@pytest.mark.parametrize("path", WRITES)
def test_the_teams_longest_answer_holds_on_each_path(writer: Behind, path: str) -> None:
    """Where a request names no length, and vLLM reads it under that path's name."""
    body = {} if path != "/v1/messages" else {"max_tokens": 4}
    answer = writer.ask(path, key="sk-small", ignore_eos=True, **body)
    if answer.status == 400:  # not a parameter of this gateway
        answer = writer.ask(path, key="sk-small", **body)
    assert answer.status == 200, answer
    told = usage_in(answer)
    assert told is not None
    assert told[1] <= 4


@pytest.mark.parametrize("path", [*WRITES, *READS])
def test_without_a_key_no_path_answers(writer: Behind, path: str) -> None:
    before = writer.worked()
    assert writer.ask(path, key="sk-nobody").status == 401
    assert writer.worked() == before


def test_models_are_the_stacks(writer: Behind) -> None:
    answer = writer.gateway.call("GET", "/v1/models", key="sk-product")
    assert [one["id"] for one in json.loads(answer.text)["data"]] == [writer.gateway.model]


def test_a_path_that_the_model_does_not_serve_is_told_by_the_engine(
    writer: Behind, reader: Behind
) -> None:
    assert writer.ask("/v1/embeddings").status in (400, 404)
    assert reader.ask("/v1/chat/completions").status in (400, 404)
