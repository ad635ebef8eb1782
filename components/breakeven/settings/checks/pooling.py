"""Models that only read: what they have no use for, and what takes its place."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings
from breakeven.settings.vllm.arguments import AUTO, OFF
from breakeven.settings.vllm.chat_template import is_file

POOLER = "pooler-config"
"""Flag of vLLM that says of whose tokens the vector of a text is made."""


def pooling_conflicts(settings: Settings) -> Iterator[Conflict]:
    """Yields settings of answers, where the model embeds texts or scores pairs of them.

    And the other way round: the one setting that only such models have.
    """
    facts = settings.model.facts
    if facts.generates:
        if settings.engine.measured_texts_per_second is not None:
            yield Conflict(
                "engine.measuredTextsPerSecond",
                f"stated for {facts.name}, which writes text",
                "State engine.measuredOutputTokensPerSecond instead",
                ("model.name",),
            )
        return
    does = "embeds texts" if facts.task == "embed" else "scores pairs of texts"
    unit = "text" if facts.task == "embed" else "pair"
    for key, allowed in (*_of_answers(settings, unit), *_of_engine(settings), *_of_api(settings)):
        yield Conflict(
            key,
            f"stated for {facts.name}, which {does} and writes no text",
            allowed,
            ("model.name",),
        )
    if facts.task == "embed" and not facts.pooling and POOLER not in settings.engine.args:
        yield Conflict(
            "engine.args",
            f"no {POOLER}, and of whose tokens {facts.name} makes its vectors is not known",
            f'State it, such as {POOLER}: {{"pooling_type": "CLS"}}, or LAST or MEAN: '
            "1_Pooling/config.json of the repository has it",
            ("model.name",),
        )
    if "in_use" not in settings.api.model_fields_set:
        example = "openai/text-embedding-3-small" if facts.task == "embed" else "cohere/rerank"
        yield Conflict(
            "api.inUse",
            f"not stated, and its default writes text; {facts.name} {does}",
            f"State the API that you would use instead, such as {example}; a price by the request "
            "is stated in api.terms",
            ("model.name",),
        )
    if settings.gateway.is_hybrid and not settings.co_located:
        what = "vectors" if facts.task == "embed" else "scores"
        yield Conflict(
            "gateway.mode",
            f"hybrid with {facts.name}: {what} of an API's model cannot be compared with those of "
            "this one",
            "Allowed: self-host, or next to a model that writes text; set replicas.max for the "
            "peak",
            ("model.name",),
        )


def _of_answers(settings: Settings, unit: str) -> Iterator[tuple[str, str]]:
    traffic, given = settings.traffic, settings.traffic.model_fields_set
    whole = f"Allowed: 0; each {unit} is counted as read whole, and APIs for it charge it whole"
    yield from _stated(
        (
            "output_tokens" in given,
            "traffic.outputTokens",
            f"Leave it out: traffic.inputTokens are the tokens of a {unit}",
        ),
        (
            bool(traffic.output_percentiles),
            "traffic.outputPercentiles",
            f"Leave it out; inputPercentiles are those of a {unit}",
        ),
        (
            "inter_token_latency_seconds" in given,
            "traffic.interTokenLatencySeconds",
            "Leave it out; traffic.timeToFirstTokenSeconds is the time to the answer",
        ),
        (traffic.cached_input_percent > 0, "traffic.cachedInputPercent", whole),
    )


def _of_engine(settings: Settings) -> Iterator[tuple[str, str]]:
    engine, kept = settings.engine, "nothing of a text is kept for later"
    parsers = {"toolCalling": engine.tool_calling, "reasoning": engine.reasoning}
    for key, parser in parsers.items():
        yield from _stated(
            (
                parser not in {AUTO, OFF},
                f"engine.{key}",
                "Allowed: auto or off; there is no answer to parse",
            )
        )
    yield from _stated(
        (
            engine.measured_output_tokens_per_second is not None,
            "engine.measuredOutputTokensPerSecond",
            "State engine.measuredTextsPerSecond instead",
        ),
        (
            engine.chat_template != AUTO
            and not (settings.model.facts.task == "score" and is_file(engine.chat_template)),
            "engine.chatTemplate",
            "Allowed: auto, and for a reranker NAME.jinja in stacks/templates/",
        ),
        (
            engine.speculation.is_on,
            "engine.speculation.method",
            "Allowed: off; there are no tokens to propose",
        ),
        (engine.kv_cache_precision != "auto", "engine.kvCachePrecision", f"Allowed: auto; {kept}"),
        (engine.kv_offload_gibibytes > 0, "engine.kvOffloadGibibytes", f"Allowed: 0; {kept}"),
        (
            engine.data_parallel_attention,
            "engine.dataParallelAttention",
            "Allowed: false; set replicas.max for more texts",
        ),
        (
            engine.pipeline_parallel > 1,
            "engine.pipelineParallel",
            "Allowed: 1; such models fit one node, and replicas.max serves more",
        ),
        (
            bool(settings.model.lora_adapters),
            "model.loraAdapters",
            "Leave it out; adapters of such models were not tried with vLLM here",
        ),
    )


def _of_api(settings: Settings) -> Iterator[tuple[str, str]]:
    api = settings.api
    yield from _stated(
        (
            api.escalation.percent > 0,
            "api.escalation.percent",
            "Allowed: 0; there is no answer to give again",
        ),
        (
            "own_output_percent" in api.model_fields_set,
            "api.ownOutputPercent",
            "Leave it out; there is no output to compare",
        ),
        (
            api.cache_write_percent > 0,
            "api.cacheWritePercent",
            "Allowed: 0; APIs for it have no cache",
        ),
    )


def _stated(*cases: tuple[bool, str, str]) -> Iterator[tuple[str, str]]:
    """Yields key and what would work, of those cases that are so."""
    yield from ((key, allowed) for is_so, key, allowed in cases if is_so)
