"""Models of a stack: each inherits what the top level states, and all must fit the pool."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.models import load_models
from breakeven.planning.checks import serving_conflicts
from breakeven.settings.files import stack_values, with_settings
from breakeven.settings.parse import parse, told
from breakeven.settings.stack import Stack

STACK = "two-models"
SERVER: dict[str, object] = {
    "pool.kind": "existing",
    "pool.gpu": "h100",
    "pool.nodeLabels": {"a": "b"},
    "pool.gpuQuota": 0,
    "pool.gpusPerNode": 8,
}


def read(**changes: object) -> tuple[Stack, list[str]]:
    """The stack of two models with some settings changed, and its problems in words."""
    stack, problems = parse(with_settings(stack_values(STACK), changes))
    for model in stack.models:
        problems = told(problems, model, serving_conflicts(model))
    return stack, [str(problem) for problem in problems]


def test_a_model_has_its_own_settings_and_inherits_the_stack_s() -> None:
    stack, problems = read(
        **{"models[1].traffic.timeToFirstTokenSeconds": "9", "engine.longestRequestSeconds": 77}
    )
    assert problems == []
    first, other = stack.models
    assert (first.name, other.name) == ("model", "model-qwen3-14b")
    assert other.model.name == "qwen3-14b"
    assert other.traffic.tokens_per_day == 60_000_000
    assert other.pool == first.pool
    assert [model.engine.longest_request_seconds for model in stack.models] == [77, 77]
    assert str(other.traffic.time_to_first_token_seconds) == "9"


def test_what_an_entry_leaves_out_is_what_the_top_level_states() -> None:
    stack, problems = read(**{"replicas.max": 4, "models[1].replicas.max": None})
    assert problems == []
    assert [model.replicas.max for model in stack.models] == [6, 4]


def test_a_list_of_one_model_is_a_stack_of_one_model() -> None:
    values = stack_values("dev")
    alone, problems = parse({**values, "models": [{"model": {"name": "qwen2.5-7b-instruct"}}]})
    assert problems == ()
    [model] = alone.models
    assert parse(values)[0].models[0].model == model.model


HYBRID: dict[str, object] = {"gateway.mode": "hybrid", "gateway.teams": {"chat": {}}}


@pytest.mark.parametrize("key", ["model.name", "replicas.max"])
def test_of_a_list_of_one_the_entry_is_changed(key: str) -> None:
    values = with_settings({"models": [{"model": {}}]}, {key: 3, "pool.gpu": "l4"})
    group, _, name = key.partition(".")
    assert values["models"] == [{"model": {}, group: {name: 3}}]
    assert values["pool"] == {"gpu": "l4"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"models": [3, 4]}, ['models[0]: found "3"', "a mapping of model"]),
        ({"models": {"model": {}}}, ["models: found", "a list of models"]),
        ({"models[1].traffic": None}, ["models[1].traffic.tokensPerDay: not stated", "Needed"]),
        ({"models[1].model.name": None}, ["models[1].model.name: not stated"]),
        ({"models[1].pool": {"gpu": "l4"}}, ["the same for all models of a stack", "Move it"]),
        ({"models[1].engin": {}}, ["models[1].engin: unknown setting", "Did you mean 'engine'?"]),
        ({"models[1].maxReplicas": 2}, ["models[1].maxReplicas: is now replicas.max"]),
        ({"models[1].replicas": 2}, ["models[1].replicas: found"]),
        ({"models[1].replicas.maximum": 2}, ["models[1].replicas.maximum: unknown setting"]),
        ({"models[1].model.name": "qwen3"}, ["models[1].model.name: found", "Closest: qwen3-"]),
        ({"models[1].model.precision": "fp7"}, ["models[1].model.precision: found", "fp8"]),
        ({"models[1].replicas.max": 0}, ["models[1].replicas.max: found", "1 to 1,000"]),
        (
            {"models[1].replicas.min": 4},
            ["models[1].replicas.min: 4 is more than replicas.max 3"],
        ),
        (
            {"models[1].engine.tensorParallel": 4},
            ["models[1].engine.tensorParallel: 4 GPUs per replica on nodes of 1"],
        ),
        (
            {"models[1].model.name": "llama-3.1-70b-instruct"},
            ["pool.gpu: llama-3.1-70b-instruct in fp8 does not fit 1 x l40s", "Would fit"],
        ),
        (
            {"models[1].model.name": "llama-3.1-8b-instruct"},
            ["llama-3.1-8b-instruct is listed twice", "raise its replicas.max"],
        ),
        (
            {**HYBRID, "models[1].api.inUse": "mistral/mistral-small-latest"},
            [
                "gateway.overflow.providers.mistral: not stated",
                "gateway.overflow.keySecret is the key of openai",
                "no provider gets the key of another",
            ],
        ),
        (
            {**HYBRID, "gateway.overflow.providers": {"groq": {"keySecret": "groq"}}},
            ["gateway.overflow.providers.groq: no request goes there", "Allowed: openai"],
        ),
        (
            {**HYBRID, "gateway.overflow.providers": {"openai": {}}},
            ["gateway.overflow.providers.openai.keySecret: empty"],
        ),
        ({"engine.pipelineParallel": 2}, ["several models with engine.pipelineParallel 2"]),
    ],
)
def test_a_mistake_names_the_entry_and_what_is_allowed(
    changes: dict[str, object], expected: list[str]
) -> None:
    _, problems = read(**changes)
    for text in expected:
        assert any(text in problem for problem in problems), (text, problems)


def test_a_mistake_that_models_inherit_is_reported_once_by_key() -> None:
    for key, value in (("pool.gpusPerNode", 0), ("weights.accessMode", "rwo")):
        _, [problem] = read(**{key: value})
        assert problem.startswith(f"breakeven:{key}: found")


def test_the_quota_is_for_all_models_together() -> None:
    # 6 and 3 replicas, and one more of each while they are replaced.
    assert read(**{"pool.gpuQuota": 11})[1] == []
    assert read(**{"pool.gpuQuota": 9})[1] == []  # none more: a replica goes first
    [problem] = read(**{"pool.gpuQuota": 8})[1]
    assert "pool.gpuQuota: 8 GPUs, but replicas.max of all models take 9" in problem
    assert "lower replicas.max" in problem


def test_a_rollout_adds_a_replica_where_one_of_each_model_finds_gpus() -> None:
    def surges(quota: int) -> list[int]:
        return [model.surge_replicas for model in read(**{"pool.gpuQuota": quota})[0].models]

    assert surges(11) == [1, 1]
    assert surges(10) == [0, 0]


def on_servers(nodes: int, *fleets: tuple[int, int]) -> tuple[Stack, list[str]]:
    """Models of GPUs a replica and replicas, on servers of eight GPUs."""
    names = ("llama-3.1-8b-instruct", "qwen3-14b", "qwen3-32b")
    listed: Any = stack_values(STACK)["models"]
    models = [
        with_settings(
            listed[0],
            {
                "model.name": name,
                "engine.tensorParallel": gpus,
                "replicas.min": 1,
                "replicas.max": count,
            },
        )
        for name, (gpus, count) in zip(names, fleets, strict=False)
    ]
    return read(**SERVER, **{"pool.nodeCount": nodes, "models": models})


@pytest.mark.parametrize(
    ("nodes", "fleets", "refused"),
    [
        (1, ((4, 1), (1, 4)), None),
        (1, ((4, 1), (1, 5)), "take 9 GPUs (llama-3.1-8b-instruct 1 x 4, qwen3-14b 5 x 1), but"),
        (2, ((4, 2), (4, 2)), None),
        (2, ((4, 3), (4, 2)), "provide 16"),
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
    stack, _ = on_servers(nodes, *fleets)
    asked = tuple(sorted(gpus for gpus, count in fleets for _ in range(count)))
    if stack.fits:
        assert not stuck((8,) * nodes, asked)
    if any(model.surge_replicas for model in stack.models):
        assert not stuck((8,) * nodes, tuple(sorted((*asked, *(gpus for gpus, _ in fleets)))))


def test_names_of_any_models_are_distinct_and_those_of_services() -> None:
    names = [f"model-{name.replace('.', '-')}" for name in load_models()]
    assert len(set(names)) == len(names)
    # What is added to it has up to 17 characters, and a name of a Service has 63 at most.
    assert max(map(len, names)) <= 63 - len("-weights-12345678")


def test_each_model_has_the_api_of_its_own_and_one_that_writes_no_text_has_none() -> None:
    stack, problems = read(
        **HYBRID,
        **{
            "models[1].api.inUse": "mistral/mistral-small-latest",
            "gateway.overflow.providers": {
                "mistral": {"keySecret": "second", "paths": ["/v1/completions"]}
            },
        },
    )
    assert not problems
    first, second = (model.overflow_api for model in stack.models)
    assert first is not None
    assert (first.provider, first.key_secret) == ("openai", "overflow-api")
    assert first.paths == ("/v1/chat/completions",)
    assert second is not None
    assert (second.address, second.key_secret) == ("https://api.mistral.ai/v1", "second")
    assert second.paths == ("/v1/completions",)
    for model in stack.models:
        assert set(model.overflow_apis) == {one.model.facts.name for one in stack.models}
    reads = {
        "models[1].model.name": "bge-m3",
        "models[1].api.inUse": "openai/text-embedding-3-small",
    }
    stack, _ = read(**HYBRID, **reads)
    assert [model.overflow_api is None for model in stack.models] == [False, True]
