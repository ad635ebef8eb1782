"""A candidate is other settings of a model: what may be tried, and what promotion makes of it."""

from __future__ import annotations

from typing import Any

from breakeven.errors import Problem
from breakeven.settings.files import stack_values, with_settings
from breakeven.settings.parse import parse
from tests.each import each
from tests.recording import stack_of

CHANGE: dict[str, object] = {"engine.kvCachePrecision": "fp8"}
TRIAL: dict[str, object] = {"candidate.settings": CHANGE}
GATEWAY: dict[str, object] = {"gateway.enabled": True, "gateway.teams": {"chat": {}}}


def problems_of(stack: str, **changes: object) -> tuple[Problem, ...]:
    return parse(with_settings(stack_values(stack), changes))[1]


def candidate(**changes: object) -> dict[str, object]:
    return {"candidate.settings": changes}


@each(
    "stack, changes, key, found, allowed",
    [
        ("hybrid", {**TRIAL, "candidate.trafficPercent": 0}, "trafficPercent", '"0"', "1 to 99"),
        ("hybrid", {**TRIAL, "candidate.trafficPercent": 100}, "trafficPercent", "100", "1 to 99"),
        ("hybrid", {**TRIAL, "candidate.replicas": 0}, "replicas", '"0"', "1 to 64"),
        ("hybrid", {**TRIAL, "candidate.stage": "live"}, "stage", '"live"', "promoted, withdrawn"),
        ("hybrid", candidate(**{"engine.kvCachePrecision": "auto"}), "settings", "same", "other"),
        ("hybrid", candidate(**{"model.name": "gpt-oss-20b"}), "settings", "model.name", "dotted"),
        ("hybrid", candidate(**{"replicas.max": 2}), "settings", "replicas.max", "engine.image"),
        ("hybrid", candidate(engine={}), "settings", "engine", "dotted key"),
        (
            "hybrid",
            candidate(**{"engine.imag": "x"}),
            "settings.engine.imag",
            "unknown setting 'imag'",
            "image",
        ),
        (
            "hybrid",
            candidate(**{"engine.kvCachePrecision": "fp9"}),
            "settings.engine.kvCachePrecision",
            '"fp9"',
            "fp8",
        ),
        (
            "hybrid",
            candidate(**{"model.maxLength": 4096}),
            "settings.model.maxLength",
            "less than the model's 8,192",
            "8,192 or more",
        ),
        ("aws-prod", TRIAL, "settings", "without a gateway", "gateway.enabled"),
        (
            "steady",
            {**GATEWAY, **candidate(**{"pool.gpu": "b300"}), "pool.nodeCount": 4},
            "settings.pool",
            "makes none",
            "pool kind",
        ),
        (
            "hybrid",
            {
                **candidate(**{"pool.gpu": "l4", "pool.instanceTypes": ["g6.xlarge"]}),
                "pricing.nodes": "stated",
                "pricing.nodePricePerHour": "2",
            },
            "settings.pool",
            "price of the model's",
            "pricing.nodes list",
        ),
        (
            "hybrid",
            {**TRIAL, "pool.gpuQuota": 5},
            "replicas",
            "they take 6 GPUs",
            "quota of 6",
        ),
        ("owned-h100", {**GATEWAY, **TRIAL}, "settings", "pipelineParallel 2", "separate stack"),
        ("steady", {**GATEWAY, **TRIAL}, "replicas", "2 nodes of 1", "more nodes"),
    ],
)
def test_a_candidate_that_cannot_be_tried_is_refused_with_a_way_out(
    stack: str, changes: dict[str, Any], key: str, found: str, allowed: str
) -> None:
    problems = problems_of(stack, **changes)
    [problem] = [each for each in problems if each.key == f"candidate.{key}"]
    assert found in problem.found
    assert allowed in problem.allowed
    assert len(problems) == 1


def test_promotion_makes_its_settings_the_models_and_withdrawal_changes_nothing() -> None:
    promoted = stack_of("hybrid", **TRIAL, **{"candidate.stage": "promoted"})
    assert promoted == stack_of("hybrid", **CHANGE)
    withdrawn = stack_of("hybrid", **TRIAL, **{"candidate.stage": "withdrawn"})
    assert not withdrawn.trials
    assert withdrawn.models[0].engine == stack_of("hybrid").models[0].engine


def test_a_candidate_has_its_own_settings_and_the_models_for_the_rest() -> None:
    stack = stack_of("hybrid", **TRIAL, **{"candidate.replicas": 2})
    [model], [trial] = stack.models, stack.trials
    tried = trial.settings
    assert tried.engine.kv_cache_precision == "fp8"
    assert model.engine.kv_cache_precision == "auto"
    assert tried.model == model.model
    assert (tried.replicas.min, tried.replicas.max, tried.replicas.autoscaling) == (2, 2, False)
    assert not trial.has_own_pool


def test_what_the_stack_states_as_json_is_read_alike() -> None:
    values = with_settings(stack_values("hybrid"), TRIAL)
    values["candidate"] = '{"settings": {"engine.kvCachePrecision": "fp8"}}'
    stack, problems = parse(values)
    assert not problems
    assert stack.trials == stack_of("hybrid", **TRIAL).trials


def test_nodes_of_both_are_within_the_pools_limit() -> None:
    alone, both = stack_of("hybrid"), stack_of("hybrid", **TRIAL)
    assert both.peak_gpus == alone.peak_gpus + 2  # its replica, and the one that an update adds


FIRST, SECOND = "models[0].candidate.settings", "models[1].candidate.settings"


def test_each_of_several_models_may_have_a_candidate() -> None:
    second: dict[str, object] = {"engine.maxRequests": 64}
    stack = stack_of("two-models", **GATEWAY, **{FIRST: CHANGE, SECOND: second, **QUOTA})
    one, other = stack.models
    assert (one.tried, other.tried) == stack.trials
    names = [trial.settings.name for trial in stack.trials]
    assert names == ["model-candidate", "model-qwen3-14b-candidate"]
    assert [trial.settings.model for trial in stack.trials] == [one.model, other.model]
    assert [trial.changes for trial in stack.trials] == [CHANGE, second]
    assert stack.trials[1].settings.engine.max_requests == 64
    assert stack.trials[1].promoted.models[0].engine == one.engine
    # The gateway knows all candidates by the first model's settings.
    assert one.co_located[0].tried == other.tried


def test_one_candidate_is_promoted_while_another_is_on_trial() -> None:
    changes = {
        FIRST: CHANGE,
        "models[0].candidate.stage": "promoted",
        SECOND: {"engine.maxRequests": 64},
    }
    stack = stack_of("two-models", **GATEWAY, **QUOTA, **changes)
    assert [model.engine.kv_cache_precision for model in stack.models] == ["fp8", "auto"]
    [trial] = stack.trials
    assert stack.models[1].tried == trial
    assert trial.promoted.models[0].engine.kv_cache_precision == "fp8"


QUOTA: dict[str, object] = {"pool.gpuQuota": 40}


@each(
    "changes, key, found, allowed",
    [
        ({SECOND: {"pool.gpu": "h100"}}, f"{SECOND}.pool.gpu", "shared by 2 models", "separate"),
        ({SECOND: {"engine.maxRequests": 0}}, f"{SECOND}.engine.maxRequests", "0", "1"),
        ({SECOND: {"model.maxLength": 4096}}, f"{SECOND}.model.maxLength", "less than", "or more"),
        (
            {SECOND: CHANGE, "models[1].candidate.replicas": 3, "pool.gpuQuota": 12},
            "models[1].candidate.replicas",
            "they take",
            "quota of",
        ),
    ],
)
def test_mistakes_of_a_candidate_are_told_by_the_key_of_its_model(
    changes: dict[str, Any], key: str, found: str, allowed: str
) -> None:
    [problem] = problems_of("two-models", **GATEWAY, **{**QUOTA, **changes})
    assert problem.key == key
    assert found in problem.found
    assert allowed in problem.allowed
