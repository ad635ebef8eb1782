"""Vectors and scores of a real vLLM, with the arguments rendered for presets that only read.

The models are random. What vLLM answers is compared with what transformers computes from the same
weights, so that another token of the text, another template, or another class would show.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from bootstrap.vllm import Vllm
from breakeven.settings.files import ROOT
from tests.pooling_stacks import EMBEDDING, RERANKING, reading
from tests.promql_found import selections_of
from tests.recording import register_stack, stack_of
from tests.vllm.exposition import labels_by_metric
from tests.vllm.rendered import Engine, engine_of
from tests.vllm.server import Server, starting
from tests.vllm.test_every_stack import ADDED

STACK = "dev"
QUERY = "capital of France"
DOCUMENTS = ("Rome is old.", "Paris, where the Seine flows.", "z")

_SCRIPT = Path(__file__).with_name("pooled_values.py")
_TINY = ROOT / "tools" / "vllm" / "tiny_pooling_model.py"
_KINDS = {
    "qwen3-embedding-0.6b": "embedding Qwen3ForCausalLM",
    "bge-m3": "XLMRobertaModel",
    "bge-reranker-v2-m3": "XLMRobertaForSequenceClassification",
    "qwen3-reranker-0.6b": "Qwen3ForCausalLM",
}
"""Classes of the presets, as tools/vllm/tiny_pooling_model.py makes them."""


def in_vllm(vllm: Vllm, folder: Path, *command: object, asked: object = None) -> str:
    """Runs a script by vLLM's Python, without a network."""
    return subprocess.run(
        [vllm.python, *map(str, command)],
        input=json.dumps(asked),
        env={"HF_HUB_OFFLINE": "1", "HOME": str(folder), "PATH": os.environ["PATH"]},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def served(vllm: Vllm, folder: Path, model: str) -> Iterator[Server]:
    """Starts the stack with a random model of the class of a preset."""
    tiny = folder / "model"
    in_vllm(vllm, folder, _TINY, vllm.model, _KINDS[model], tiny)
    engine = engine_of(STACK, **reading(model))
    with starting(engine, replace(vllm, model=tiny), folder / "replica") as started:
        started.wait_until_ready()
        yield started


@pytest.fixture(scope="class", params=[*EMBEDDING, *RERANKING])
def server(
    request: pytest.FixtureRequest, vllm: Vllm, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("pooling")
    (folder / "replica").mkdir()
    yield from served(vllm, folder, request.param)


def answer(server: Server, path: str, **body: object) -> Any:
    found = server.ask(path, method="POST", body={"model": server.engine.model, **body})
    assert found.status == 200, found.text
    return found.json


def computed(server: Server, vllm: Vllm, **asked: object) -> Any:
    folder = server.log.parent
    return json.loads(in_vllm(vllm, folder, _SCRIPT, folder.parent / "model", asked=asked))


def flag(engine: Engine, name: str) -> str:
    [stated] = [each for each in engine.container["args"] if each.startswith(f"--{name}=")]
    return str(stated.partition("=")[2])


def check_vectors(embedding: Server, vllm: Vllm) -> None:
    """Texts are embedded by the token that is rendered, and by no other."""
    texts = [QUERY, *DOCUMENTS]
    found = answer(embedding, "/v1/embeddings", input=texts)
    assert [each["index"] for each in found["data"]] == list(range(len(texts)))
    # Each byte is a token of the tiny models.
    assert found["usage"]["prompt_tokens"] == sum(map(len, texts))
    token = json.loads(flag(embedding.engine, "pooler-config"))["pooling_type"]
    expected = computed(embedding, vllm, texts=texts, token=token)
    for each, vector in zip(found["data"], expected, strict=True):
        assert cosine(each["embedding"], vector) > 0.999
        assert math.hypot(*each["embedding"]) == pytest.approx(1, abs=0.01)
    other = computed(embedding, vllm, texts=texts, token={"CLS": "LAST", "LAST": "CLS"}[token])
    assert cosine(found["data"][0]["embedding"], other[0]) < 0.99


def check_scores(reranker: Server, vllm: Vllm) -> None:
    """Documents are ranked as the model was trained to read them."""
    ranked = answer(reranker, "/v1/rerank", query=QUERY, documents=list(DOCUMENTS))["results"]
    scores = {each["index"]: each["relevance_score"] for each in ranked}
    assert [each["index"] for each in ranked] == sorted(scores, key=lambda each: -scores[each])
    pairs = answer(reranker, "/v1/score", text_1=QUERY, text_2=list(DOCUMENTS))["data"]
    assert {each["index"]: each["score"] for each in pairs} == pytest.approx(scores, abs=1e-4)
    read = [prompt(reranker.engine, document) for document in DOCUMENTS]
    answers = ["no", "yes"] if reranker.engine.settings.model.facts.template else []
    expected = computed(reranker, vllm, pairs=read, answers=answers)
    assert [scores[place] for place in range(len(DOCUMENTS))] == pytest.approx(expected, abs=0.01)


def prompt(engine: Engine, document: str) -> tuple[str, str]:
    """Returns what the model reads of a pair: a prompt, or two texts for its tokenizer."""
    if not engine.settings.model.facts.template:
        return QUERY, document
    [files] = [files for files in engine.files.values() if "chat-template.jinja" in files]
    # As transformers renders templates; what comes of it is text of a prompt and no page.
    environment = Environment(trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    template = environment.from_string(files["chat-template.jinja"])
    messages = [{"role": "query", "content": QUERY}, {"role": "document", "content": document}]
    return template.render(messages=messages), ""


class TestPoolingPresets:
    """One start for all."""

    def test_it_answers_with_the_vectors_or_scores_of_its_weights(
        self, server: Server, vllm: Vllm
    ) -> None:
        check = check_vectors if server.engine.model in EMBEDDING else check_scores
        check(server, vllm)

    def test_the_rendered_arguments_are_known_and_guarded(self, server: Server) -> None:
        assert "Unknown vLLM environment variable" not in server.output
        assert "may produce inaccurate relevance" not in server.output
        [model] = server.ask("/v1/models").json["data"]
        assert model["max_model_len"] == server.engine.settings.model.max_length
        # It writes no text, whoever asks.
        chat = {"model": server.engine.model, "messages": [{"role": "user", "content": "a"}]}
        assert server.ask("/v1/chat/completions", method="POST", body=chat).status in {400, 404}
        routes = set(re.findall(r"Route: (\S+), Methods: ([A-Z, ]+)", server.output))
        assert {"/v1/embeddings", "/v1/rerank"} & {path for path, _ in routes}
        for path, methods in routes - {("/health", "GET"), ("/metrics", "GET")}:
            for method in methods.split(", "):
                body = {"model": server.engine.model} if method == "POST" else None
                assert server.ask(path, key="", method=method, body=body).status == 401

    def test_every_metric_that_is_asked_for_exists(self, server: Server) -> None:
        known = labels_by_metric(server.ask("/metrics", key="").text)
        asked = selections_of(register_stack(stack_of(STACK, **reading(server.engine.model))))
        engines = [selection for selection in asked if selection.metric.startswith("vllm:")]
        assert engines
        for selection in engines:
            labels = set(selection.matchers) | set(selection.grouping)
            assert selection.metric in known, f"{selection.metric}, of {selection.expression}"
            assert labels - ADDED <= known[selection.metric], selection.expression


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / math.hypot(*one) / math.hypot(*other)
