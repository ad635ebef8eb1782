"""What replicas find in their prefix caches follows from the stack, and so do the dollars."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pytest

from breakeven.catalog.recipes import find_recipe
from breakeven.cost.capacity.latency import latencies
from breakeven.cost.capacity.roofline import Engine, RequestShape
from breakeven.cost.notes import PrefixCacheShare
from breakeven.cost.report import Report
from breakeven.errors import SettingsError
from breakeven.planning import levers
from breakeven.planning.fleet import engine_of
from breakeven.planning.offline import load_values
from breakeven.reports.sentences.notes import note_sentence
from breakeven.settings.files import stack_values, with_settings

TODAY = date(2026, 11, 30)
SESSIONS = {"traffic.cachedInputPercent": 60, "traffic.sharedPrefixTokens": 0}
LARGE = {"pool.instanceTypes": ["g6e.12xlarge"], "pool.gpusPerNode": 4}


def report(stack: str, changes: Mapping[str, object]) -> Report:
    return load_values(stack, with_settings(stack_values(stack), changes), TODAY).report()


def found(stack: str, changes: Mapping[str, object]) -> float:
    return report(stack, changes).assumptions.capacity.cached_input_share


def test_a_common_prefix_is_found_by_every_replica() -> None:
    assert found("aws-prod", {}) == pytest.approx(0.2)
    assert found("aws-prod", {"traffic.cachedInputPercent": 0}) == 0
    assert not [
        note
        for note in report("aws-prod", {}).assumptions.notes
        if isinstance(note, PrefixCacheShare)
    ]


def test_of_sessions_a_plain_service_finds_little_and_the_bill_says_so() -> None:
    some = report("aws-prod", SESSIONS)
    full = report("aws-prod", {**SESSIONS, "traffic.sharedPrefixTokens": 615})
    [note] = [each for each in some.assumptions.notes if isinstance(each, PrefixCacheShare)]
    assert (note.reusable, note.affinity) == (0.6, False)
    assert note.found == some.assumptions.capacity.cached_input_share < 0.1
    assert note.found == pytest.approx(0.6 * note.kept / note.replicas, rel=0.2)
    assert some.total > full.total
    assert "a Service spreads requests over" in note_sentence(note)
    # The API has a cache of its own, whatever the replicas find.
    assert some.api.monthly == full.api.monthly


def test_affinity_and_quick_reuse_and_memory_find_more() -> None:
    plain = found("aws-prod", SESSIONS)
    assert found("hybrid", SESSIONS) > plain
    assert found("aws-prod", {**SESSIONS, "traffic.reuseSeconds": 10}) > plain
    more = {**SESSIONS, **LARGE, "engine.kvOffloadGibibytes": 64}
    assert found("aws-prod", more) > found("aws-prod", {**SESSIONS, **LARGE})


def test_more_than_the_node_has_is_refused_with_what_it_has() -> None:
    with pytest.raises(SettingsError, match=r"500 GiB for each of 1 replicas.*Allowed: 0 to 1\d,"):
        report("aws-prod", {"engine.kvOffloadGibibytes": 500})


@pytest.mark.parametrize(
    ("stack", "changes", "kind", "key"),
    [
        ("aws-prod", {}, "kv-cache", "engine.kvCachePrecision"),
        ("aks", {}, "kv-cache", "engine.kvCachePrecision"),
        ("on-prem", {}, "kv-cache", "engine.kvCachePrecision"),
        (
            "gke",
            {**SESSIONS, "traffic.reuseSeconds": 30},
            "kv-offload",
            "engine.kvOffloadGibibytes",
        ),
        (
            "on-prem",
            {"model.name": "qwen3.6-27b", "model.repository": "", "model.revision": ""},
            "speculation",
            "engine.speculation.method",
        ),
        ("aws-prod", {}, "speculation", "engine.speculation.model"),
        ("aws-prod", SESSIONS, "prefix-affinity", "gateway.enabled"),
        ("air-gapped", SESSIONS, "prefix-affinity", "gateway.teams"),
    ],
)
def test_a_lever_has_the_dollars_of_a_stack_file_that_states_it(
    stack: str,
    changes: Mapping[str, object],
    kind: str,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # All of them, and not only those that save most at first sight.
    monkeypatch.setattr(levers, "MOST_SIMULATED", 20)
    values = with_settings(stack_values(stack), changes)
    before = load_values(stack, values, TODAY).report_with_levers()
    [lever] = [each for each in before.levers or () if each.kind == kind]
    assert key in lever.settings
    after = load_values(stack, with_settings(values, lever.settings), TODAY).report()
    cent = Decimal("0.01")
    assert lever.monthly.quantize(cent) == after.total.quantize(cent)
    assert lever.saving.quantize(cent) == (before.total - after.total).quantize(cent) > 0


def test_a_head_is_a_lever_only_where_its_recipe_size_and_commit_are_known() -> None:
    def speculation(model: str) -> list[Mapping[str, object]]:
        changes = {"model.name": model, "model.repository": "", "model.revision": ""}
        values = with_settings(stack_values("owned-h100"), changes)
        report = load_values("owned-h100", values, TODAY).report_with_levers()
        return [each.settings for each in report.levers or () if each.kind == "speculation"]

    [recipe] = [find_recipe("openai/gpt-oss-120b")]
    assert recipe is not None
    assert '"method":"eagle3"' in recipe.speculative_config
    # Nobody published size and commit of its head.
    assert speculation("gpt-oss-120b") == []


def test_a_gateway_is_no_lever_where_there_is_one_or_replicas_find_the_prefix_anyway() -> None:
    def kinds(stack: str, changes: Mapping[str, object]) -> list[str]:
        values = with_settings(stack_values(stack), changes)
        report = load_values(stack, values, TODAY).report_with_levers()
        return [each.kind for each in report.levers or ()]

    assert "prefix-affinity" not in kinds("hybrid", SESSIONS)
    assert "prefix-affinity" not in kinds("aws-prod", {})


PROMPTS = {
    "model.maxLength": 32768,
    "traffic.inputTokens": 16384,
    "traffic.outputTokens": 64,
    "replicas.targetRequests": 8,
}


def engine_with(changes: Mapping[str, object]) -> Engine:
    values = with_settings(stack_values("aws-prod"), {**PROMPTS, **changes})
    return engine_of(load_values("aws-prod", values, TODAY).stack.models[0])


@pytest.mark.parametrize(("stated", "tokens"), [("16k", 16_000), (16384, 16_384), ("2K", 2048)])
def test_the_tokens_of_an_engine_step_follow_its_flag(stated: object, tokens: int) -> None:
    changes = {"engine.args": {"max-num-batched-tokens": stated}}
    assert engine_with(changes).batched_tokens == tokens


def test_a_long_prompt_is_read_sooner_with_more_tokens_per_step() -> None:
    prompt = RequestShape(input_tokens=16_384, output_tokens=64)
    more = engine_with({"engine.args": {"max-num-batched-tokens": "16K"}})
    first = [latencies(engine, prompt, 1).first_token_p95 for engine in (more, engine_with({}))]
    assert first[0] < first[1]


def test_the_flag_with_vllm_s_default_changes_no_cost() -> None:
    stated = report("aws-prod", {"engine.args": {"max-num-batched-tokens": 2048}})
    assert stated.total == report("aws-prod", {}).total


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("many", 'max-num-batched-tokens is "many".*whole number of 1 or more'),
        ("0", 'max-num-batched-tokens is "0"'),
        ("32", "32 is less than engine.maxRequests 64.*64 or more"),
    ],
)
def test_tokens_per_step_that_vllm_refuses_are_refused(args: str, said: str) -> None:
    changes = {"engine.args": {"max-num-batched-tokens": args}, "engine.maxRequests": 64}
    with pytest.raises(SettingsError, match=f"(?s){said}"):
        report("aws-prod", changes)
