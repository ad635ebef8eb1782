"""Further models of a stack: each is read by the rules of the first, and all must fit the pool."""

from __future__ import annotations

import json
from functools import cache
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.models import load_models
from breakeven.settings.files import defaults, stack_values
from breakeven.settings.models import INHERITED, OWN
from breakeven.settings.parse import parse
from breakeven.settings.stack import Settings

STACK = "two-models"
SERVER = {
    "pool": "existing",
    "gpu": "h100",
    "nodeLabels": '{"a": "b"}',
    "gpuQuota": "0",
    "gpusPerNode": "8",
}


def entry(**changes: Any) -> dict[str, Any]:
    [stated] = json.loads(stack_values(STACK)["additionalModels"])
    return {**stated, **changes}


def read(*entries: object, **stack: str) -> tuple[Settings, list[str]]:
    values = {**stack_values(STACK), **stack, "additionalModels": json.dumps(entries)}
    settings, reader = parse(values)
    return settings, [str(problem) for problem in reader.problems]


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in entry().items() if name != key}


def test_a_model_has_its_own_settings_and_shares_the_stack_s() -> None:
    settings, problems = read(entry(timeToFirstTokenSeconds="9"), longestRequestSeconds="77")
    assert problems == []
    [other] = settings.others
    assert (settings.name, other.name) == ("model", "model-qwen3-14b")
    assert other.model.facts.name == "qwen3-14b"
    assert other.traffic.tokens_per_day == 60_000_000
    assert other.pool == settings.pool
    assert other.engine.longest_request_seconds == 77
    assert str(other.traffic.time_to_first_token_seconds) == "9"


def test_what_an_entry_leaves_out_is_the_default_and_not_the_first_model_s() -> None:
    settings, _ = read(without("maxReplicas"), maxReplicas="6", cachedInputPercent="20")
    [other] = settings.others
    assert other.traffic.cached_input_percent == int(defaults()["cachedInputPercent"])
    assert other.replicas.max == int(defaults()["maxReplicas"])


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ("qwen3-14b", ['entry 1 is "qwen3-14b"', "a mapping of settings"]),
        (7, ["entry 1 is 7"]),
        ({}, ["entry 1: model, modelRepository, modelRevision, tokensPerDay: not stated"]),
        (without("modelRevision"), ["qwen3-14b: modelRevision: not stated", "Needed"]),
        (entry(gpu="l4"), ["qwen3-14b: gpu: the same for all models of a stack", "Remove it"]),
        (entry(pipelineParallel=2), ["pipelineParallel: the same for all models"]),
        (entry(maxreplicas=2), ["maxreplicas: no such setting", "closest: maxReplicas"]),
        (entry(model="qwen3"), ["qwen3: model: found", "Closest: qwen3-"]),
        (entry(model=3), ["entry 1: model: found"]),
        (entry(precision="fp7"), ["qwen3-14b: precision: found", "fp8"]),
        (entry(maxReplicas=0), ["qwen3-14b: maxReplicas: found", "1 to 1,000"]),
        (entry(maxReplicas=None), ["qwen3-14b: maxReplicas: found"]),
        (entry(minReplicas=4), ["qwen3-14b: minReplicas: 4 is more than maxReplicas 3"]),
        (entry(tensorParallel=4), ["tensorParallel: 4 GPUs a replica on nodes of 1"]),
        (
            entry(model="llama-3.1-70b-instruct"),
            ["gpu: llama-3.1-70b-instruct in fp8 does not fit 1 x l40s", "Would fit"],
        ),
        (
            entry(model="llama-3.1-8b-instruct"),
            ["llama-3.1-8b-instruct is served twice", "raise its maxReplicas"],
        ),
    ],
)
def test_a_mistake_names_the_entry_and_what_is_allowed(wrong: object, expected: list[str]) -> None:
    _, problems = read(wrong)
    assert all(problem.startswith("breakeven:additionalModels: ") for problem in problems)
    for text in expected:
        assert any(text in problem for problem in problems), (text, problems)


def test_a_mistake_of_what_all_share_is_told_once() -> None:
    _, problems = read(entry(), entry(model="qwen3-8b"), gpusPerNode="0")
    assert [problem for problem in problems if "gpusPerNode" in problem] == problems
    assert len(problems) == 1


def test_the_list_itself_must_be_one() -> None:
    values = {**stack_values(STACK), "additionalModels": '{"model": "qwen3-14b"}'}
    [problem] = parse(values)[1].problems
    assert (problem.key, problem.allowed) == ("additionalModels", "Allowed: a list")


def test_the_quota_is_for_all_models_together() -> None:
    # 6 and 3 replicas, and one more of each while they are replaced.
    assert read(entry(), gpuQuota="11")[1] == []
    assert read(entry(), gpuQuota="9")[1] == []  # none more: a replica goes first
    [problem] = read(entry(), gpuQuota="8")[1]
    assert "gpuQuota: 8 GPUs, but maxReplicas of all models take 9" in problem
    assert "lower maxReplicas" in problem


def test_a_rollout_adds_a_replica_where_one_of_each_model_finds_gpus() -> None:
    def surges(quota: str) -> list[int]:
        return [model.surge_replicas for model in read(entry(), gpuQuota=quota)[0].models]

    assert surges("11") == [1, 1]
    assert surges("10") == [0, 0]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"mode": "hybrid", "teams": '{"chat": {}}'}, "further models in mode hybrid"),
        (
            {"pipelineParallel": "2", "weightsAccessMode": "ReadWriteMany"},
            "further models beside pipelineParallel 2",
        ),
    ],
)
def test_what_can_t_be_combined_is_refused(changes: dict[str, str], expected: str) -> None:
    _, problems = read(entry(), **changes)
    assert any(expected in problem for problem in problems), problems


def on_servers(nodes: int, *fleets: tuple[int, int]) -> tuple[Settings, list[str]]:
    """Models of GPUs a replica and replicas, on servers of eight GPUs."""
    (first, replicas), *others = fleets
    names = ("qwen3-14b", "qwen3-32b")
    return read(
        *(
            entry(model=name, tensorParallel=gpus, minReplicas=1, maxReplicas=count)
            for name, (gpus, count) in zip(names, others, strict=False)
        ),
        **SERVER,
        nodeCount=str(nodes),
        tensorParallel=str(first),
        minReplicas="1",
        maxReplicas=str(replicas),
    )


@pytest.mark.parametrize(
    ("nodes", "fleets", "refused"),
    [
        (1, ((4, 1), (1, 4)), None),
        (1, ((4, 1), (1, 5)), "take 9 GPUs (llama-3.1-8b-instruct 1 x 4, qwen3-14b 5 x 1), but"),
        (2, ((4, 2), (4, 2)), None),
        (2, ((4, 3), (4, 2)), "are 16"),
        (2, ((8, 1), (1, 2)), "not certain that a replica of 8 GPUs finds a node"),
        (3, ((8, 1), (1, 2)), None),
    ],
)
def test_servers_must_hold_all_models(
    nodes: int, fleets: tuple[tuple[int, int], ...], refused: str | None
) -> None:
    _, problems = on_servers(nodes, *fleets)
    if refused is None:
        assert problems == []
    else:
        assert any(refused in problem for problem in problems), problems


@cache
def stuck(free: tuple[int, ...], left: tuple[int, ...]) -> bool:
    """Whether replicas can start in an order, and on nodes, so that one finds no room."""
    for gpus in set(left):
        rest = list(left)
        rest.remove(gpus)
        places = [place for place, room in enumerate(free) if room >= gpus]
        if not places:
            return True
        for place in places:
            after = sorted((*free[:place], free[place] - gpus, *free[place + 1 :]))
            if stuck(tuple(after), tuple(rest)):
                return True
    return False


@given(
    nodes=st.integers(1, 3),
    fleets=st.lists(
        st.tuples(st.sampled_from((1, 2, 4, 8)), st.integers(1, 4)), min_size=2, max_size=3
    ),
)
def test_where_models_are_taken_every_replica_finds_a_node_in_any_order(
    nodes: int, fleets: list[tuple[int, int]]
) -> None:
    settings, _ = on_servers(nodes, *fleets)
    asked = tuple(sorted(gpus for gpus, count in fleets for _ in range(count)))
    if settings.holds():
        assert not stuck((8,) * nodes, asked)
    if settings.surge_replicas:
        assert not stuck((8,) * nodes, tuple(sorted((*asked, *(gpus for gpus, _ in fleets)))))


def test_names_of_any_models_are_those_of_services_and_none_begins_another() -> None:
    names = [f"model-{name.replace('.', '-')}" for name in load_models()]
    assert len(set(names)) == len(names)
    for one, other in permutations(names, 2):
        assert not other.startswith(f"{one}-"), (one, other)
    # What is added to it has up to 17 characters, and a name of a Service has 63 at most.
    assert max(map(len, names)) <= 63 - len("-weights-12345678")


def test_every_setting_of_an_entry_exists() -> None:
    assert set(OWN) | set(INHERITED) <= set(defaults())
    assert not set(OWN) & set(INHERITED)
