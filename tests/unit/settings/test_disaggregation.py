"""Prefill/decode disaggregation: what it needs, and what it does not go together with."""

from __future__ import annotations

from collections.abc import Mapping

from breakeven.settings.parse import parse

BASE: Mapping[str, Mapping[str, object]] = {
    "model": {"name": "llama-3.1-8b-instruct"},
    "engine": {"disaggregation": {"prefillReplicas": 1, "linkGigabitsPerSecond": 400}},
    "pool": {"nodeCount": 3},
    "weights": {"accessMode": "ReadWriteMany"},
    "replicas": {"autoscaling": False, "min": 3, "max": 3},
}


def problems(**groups: Mapping[str, object]) -> list[str]:
    values = {key: {**BASE.get(key, {}), **groups.get(key, {})} for key in {*BASE, *groups}}
    return [str(problem) for problem in parse(values)[1]]


def of_key(key: str, **groups: Mapping[str, object]) -> str:
    [found] = [each for each in problems(**groups) if each.startswith(f"breakeven:{key}:")]
    return found


def test_two_groups_with_a_link_are_accepted_and_off_is_the_default() -> None:
    assert problems() == []
    assert not parse({})[0].models[0].engine.disaggregation.is_on
    # A stated link alone changes nothing.
    assert problems(engine={"disaggregation": {"linkGigabitsPerSecond": 400}}) == []


def test_without_a_fast_link_it_is_refused() -> None:
    link = "engine.disaggregation.linkGigabitsPerSecond"
    found = of_key(link, engine={"disaggregation": {"prefillReplicas": 1}})
    assert "empty with engine.disaggregation.prefillReplicas 1" in found
    assert "100 or more" in found
    slow = of_key(
        link, engine={"disaggregation": {"prefillReplicas": 1, "linkGigabitsPerSecond": 25}}
    )
    assert "25" in slow
    assert "100" in slow


def test_a_group_without_replicas_and_an_autoscaler_are_refused() -> None:
    key = "engine.disaggregation.prefillReplicas"
    assert "1 of 1 replicas, so that no replica decodes" in of_key(
        key, replicas={"min": 1, "max": 1}
    )
    assert "one target cannot scale two groups" in of_key(
        key, replicas={"autoscaling": True, "min": 1, "max": 3}
    )
    reads = {"name": "bge-m3", "maxLength": 512}
    assert "does not decode" in of_key(key, model=reads, traffic={"inputTokens": 100})


def test_what_vllm_does_not_support_or_the_estimate_does_not_count_is_refused() -> None:
    on = BASE["engine"]["disaggregation"]
    more: dict[str, dict[str, Mapping[str, object]]] = {
        "engine.speculation.method": {"engine": {"speculation": {"method": "ngram"}}},
        "engine.kvOffloadGibibytes": {"engine": {"kvOffloadGibibytes": 8}},
        "engine.measuredOutputTokensPerSecond": {"engine": {"measuredOutputTokensPerSecond": 900}},
        "model.name": {"model": {"name": "gemma-3-27b"}},
        "engine.pipelineParallel": {
            "engine": {"pipelineParallel": 2, "tensorParallel": 8},
            "pool": {"gpusPerNode": 8},
        },
    }
    for key, groups in more.items():
        engine = {"disaggregation": on, **groups.get("engine", {})}
        found = of_key(key, **{**groups, "engine": engine})
        assert "with engine.disaggregation" in found, key
        assert "prefillReplicas to 0" in found, key
