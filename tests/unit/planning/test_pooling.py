"""Models that embed texts or score pairs: their load, their capacity, their bill, their levers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment

from breakeven.catalog.gpus import find_gpu
from breakeven.catalog.models import find_model
from breakeven.cost.capacity.capacity import ReplicaCapacity, replica_capacity
from breakeven.cost.capacity.roofline import Engine, RequestShape, texts_in_step
from breakeven.cost.report import Report
from breakeven.errors import SettingsError
from breakeven.manifests.serving.engine import engine_flags
from breakeven.manifests.serving.guard import CHAT_TEMPLATE, guard_files
from breakeven.manifests.serving.timings import timings_of
from breakeven.planning.offline import LoadedStack, load_values
from breakeven.reports.estimate_text import render
from breakeven.settings.files import stack_values, with_settings
from breakeven.settings.vllm import chat_template
from tests.pooling_stacks import EMBEDDING, RERANKING, reading
from tests.recording import stack_of

TODAY = date(2026, 11, 30)


def loaded(model: str, changes: Mapping[str, object]) -> LoadedStack:
    values = with_settings(stack_values("dev"), {**reading(model), **changes})
    return load_values("dev", values, TODAY)


def report(model: str, **changes: object) -> Report:
    return loaded(model, changes).report()


def capacity(model: str, texts: int, tokens: int, gpu: str = "h100") -> ReplicaCapacity:
    return replica_capacity(
        find_model(model),
        precision="bf16",
        gpu=find_gpu(gpu),
        tensor_parallel=1,
        gpu_memory_utilization=0.9,
        max_model_length=8192,
        input_tokens=tokens,
        output_tokens=1,
        cached_input_share=0.0,
        concurrency_limit=texts,
        measured_output_tokens_per_second=None,
    )


@pytest.mark.parametrize("model", [*EMBEDDING, "qwen3-embedding-8b", *RERANKING])
def test_the_bill_counts_texts_or_pairs_and_no_answers(model: str) -> None:
    found = report(model)
    load = found.assumptions.load
    unit = "text" if model in EMBEDDING or "embedding" in model else "pair"
    assert (load.unit, load.output_tokens, load.own_output_tokens) == (unit, 0, 0)
    assert load.requests_per_day == Decimal(500_000_000) / 300
    served = found.assumptions.capacity
    assert served.output_tokens_per_second == served.latencies.inter_token == 0
    assert served.total_tokens_per_second == pytest.approx(300 * served.requests_per_second)
    # Nobody has published what a replica of such a model serves.
    assert served.is_unknown
    text = " ".join(render(found).split())
    assert f"million {unit}s of 300 tokens" in text
    assert f"{unit}s are answered within 2 s" in text
    assert "TTFT" not in text
    assert "answers: these models" not in text


def test_the_api_is_paid_by_the_tokens_that_are_read() -> None:
    found = report("qwen3-embedding-0.6b")
    # 500 million tokens a day at $0.02 a million.
    assert float(found.api.monthly) == pytest.approx(500 * 365 / 12 * 0.02)
    other = report(
        "bge-reranker-v2-m3",
        **{"api.inUse": "cohere/rerank", "api.terms": {"cohere/rerank": {"perRequest": "0.00002"}}},
    )
    # 1.67 million pairs a day, 100 in a search of $0.002.
    assert float(other.api.monthly) == pytest.approx(500e6 / 300 * 365 / 12 * 0.00002)


def test_nothing_is_mixed_with_what_another_model_says() -> None:
    changes = {"traffic.tokensPerDay": 2_000_000_000}
    found = loaded("qwen3-embedding-0.6b", changes).report_with_levers()
    assert found.hybrid is None
    assert {option.choice for option in found.verdict.options} <= {"api", "hosted", "self-host"}
    assert found.levers is not None
    kinds = {lever.kind for lever in found.levers}
    assert not kinds & {"hybrid", "kv-cache", "kv-offload", "speculation"}


def test_a_measurement_of_texts_decides() -> None:
    found = report("bge-m3", **{"engine.measuredTextsPerSecond": 700})
    served = found.assumptions.capacity
    assert served.method == "own-measurement"
    assert served.requests_per_second == pytest.approx(700)
    assert "engine.measuredTextsPerSecond" in " ".join(render(found).split())


@given(st.integers(1, 1024), st.integers(1, 8000), st.sampled_from(EMBEDDING))
def test_more_texts_in_flight_serve_no_less_and_longer_ones_no_more(
    texts: int, tokens: int, model: str
) -> None:
    some = capacity(model, texts, tokens)
    assert capacity(model, texts + 1, tokens).requests_per_second >= some.requests_per_second * (
        1 - 1e-9
    )
    assert capacity(model, texts, tokens + 64).requests_per_second <= some.requests_per_second * (
        1 + 1e-9
    )
    # No replica multiplies more than its GPU can.
    engine = Engine(
        model=find_model(model), precision="bf16", gpu=find_gpu("h100"), tensor_parallel=1
    )
    facts = engine.model
    each = 2 * (facts.parameters - facts.parts.embedding) * 0.99
    peak = engine.gpu.compute_tera("bf16") * 1e12
    assert some.total_tokens_per_second * each < peak


def test_a_step_carries_the_texts_that_its_budget_has_room_for() -> None:
    engine = Engine(
        model=find_model("bge-m3"), precision="bf16", gpu=find_gpu("l4"), tensor_parallel=1
    )
    assert texts_in_step(engine, RequestShape(input_tokens=512, output_tokens=1)) == 4
    # An encoder reads a text whole; a decoder may take several steps for it.
    long = RequestShape(input_tokens=4096, output_tokens=1)
    assert texts_in_step(engine, long) == 1
    assert texts_in_step(replace(engine, model=find_model("qwen3-embedding-8b")), long) == 0.5


def test_an_encoder_keeps_nothing_and_a_decoder_little_memory() -> None:
    assert find_model("bge-m3").request_bytes(8192) == 0
    assert capacity("bge-m3", 1024, 300).held_requests > 100_000
    assert find_model("qwen3-embedding-0.6b").request_bytes(8192) > 0


def flags(model: str, **changes: object) -> list[str]:
    [settings] = stack_of("dev", **{**reading(model), **changes}).models
    return engine_flags(settings, timings_of(settings))


def test_the_engine_gets_the_pooling_flag() -> None:
    assert "--runner=pooling" in flags("bge-reranker-v2-m3")
    assert '--pooler-config={"pooling_type": "CLS"}' in flags("bge-m3")
    assert '--pooler-config={"pooling_type": "LAST"}' in flags("qwen3-embedding-8b")
    [overrides] = [f for f in flags("qwen3-reranker-0.6b") if f.startswith("--hf-overrides=")]
    assert "Qwen3ForSequenceClassification" in overrides
    own = flags("bge-m3", **{"engine.args": {"pooler-config": {"pooling_type": "MEAN"}}})
    assert [f for f in own if f.startswith("--pooler-config")] == [
        '--pooler-config={"pooling_type": "MEAN"}'
    ]
    for model in (*EMBEDDING, *RERANKING):
        assert not [f for f in flags(model) if "tool" in f or "reasoning" in f]
        # Of messages that nobody sends nothing is made.
        templates = [f for f in flags(model) if f.startswith("--chat-template")]
        assert bool(templates) == bool(find_model(model).template)


def test_a_pair_becomes_the_prompt_that_the_reranker_was_trained_with() -> None:
    assert f"--chat-template={CHAT_TEMPLATE}" in flags("qwen3-reranker-0.6b")
    [settings] = stack_of("dev", **reading("qwen3-reranker-0.6b")).models
    files = guard_files(settings).manifest["data"]
    environment = Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701
    template = environment.from_string(files["chat-template.jinja"])
    pair = [{"role": "query", "content": "Q"}, {"role": "document", "content": "D"}]
    # Model card of Qwen/Qwen3-Reranker-0.6B.
    expected = (
        "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query "
        'and the Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n'
        "<|im_start|>user\n<Instruct>: {}\n<Query>: Q\n<Document>: D<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )
    usual = "Given a web search query, retrieve relevant passages that answer the query"
    assert template.render(messages=pair) == expected.format(usual)
    assert template.render(messages=pair, instruction="I") == expected.format("I")


def test_a_reranker_of_ones_own_has_a_template_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_template, "TEMPLATES", tmp_path)
    (tmp_path / "pairs.jinja").write_text("{{ messages[0].content }}", encoding="utf-8")
    stated = {"engine.chatTemplate": "pairs.jinja"}
    assert f"--chat-template={CHAT_TEMPLATE}" in flags("bge-reranker-v2-m3", **stated)
    with pytest.raises(SettingsError, match=r"engine\.chatTemplate"):
        flags("bge-m3", **stated)


@pytest.mark.parametrize(
    ("stated", "key"),
    [
        ({"engine.toolCalling": "hermes"}, "engine.toolCalling"),
        ({"engine.reasoning": "qwen3"}, "engine.reasoning"),
        ({"engine.speculation.method": "ngram"}, "engine.speculation.method"),
        ({"engine.kvOffloadGibibytes": 8}, "engine.kvOffloadGibibytes"),
        ({"engine.kvCachePrecision": "fp8"}, "engine.kvCachePrecision"),
        ({"engine.chatTemplate": "model"}, "engine.chatTemplate"),
        ({"engine.measuredOutputTokensPerSecond": 5}, "engine.measuredOutputTokensPerSecond"),
        ({"engine.args": {"runner": "generate"}}, "engine.args"),
        ({"traffic.outputTokens": 10}, "traffic.outputTokens"),
        ({"traffic.outputPercentiles": {"p50": 1, "max": 2}}, "traffic.outputPercentiles"),
        ({"traffic.cachedInputPercent": 20}, "traffic.cachedInputPercent"),
        ({"traffic.interTokenLatencySeconds": "0.1"}, "traffic.interTokenLatencySeconds"),
        ({"api.escalation.percent": 5}, "api.escalation.percent"),
        ({"api.ownOutputPercent": 50}, "api.ownOutputPercent"),
        ({"api.cacheWritePercent": 5}, "api.cacheWritePercent"),
        ({"api.inUse": "openai/gpt-4.1-mini"}, "api.inUse"),
        ({"gateway.mode": "hybrid", "gateway.teams": {"search": {}}}, "gateway.mode"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_only_answers_have_is_refused(stated: Mapping[str, object], key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        report("qwen3-embedding-0.6b", **stated)
    assert f"breakeven:{key}" in str(refused.value)


def test_texts_a_second_are_refused_for_a_model_that_writes() -> None:
    values = with_settings(stack_values("dev"), {"engine.measuredTextsPerSecond": 5})
    with pytest.raises(SettingsError, match=r"engine\.measuredOutputTokensPerSecond instead"):
        load_values("dev", values, TODAY)


def test_the_api_in_use_has_to_be_stated() -> None:
    stated = reading("qwen3-embedding-0.6b")
    del stated["api.inUse"]
    values = with_settings(stack_values("dev"), stated)
    with pytest.raises(SettingsError, match=r"api\.inUse: not stated"):
        load_values("dev", values, TODAY)
