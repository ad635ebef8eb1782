"""Several models in one stack: each has its own objects, and no selector takes another's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import permutations
from typing import Any

import pytest

from tests.recording import Recorded, Registration, register_stack, stack_of

STACK = "two-models"
NAMES = ("model", "model-qwen3-14b")
SERVER = {
    "pool.kind": "existing",
    "pool.nodeLabels": {"a": "b"},
    "pool.gpuQuota": 0,
    "pool.gpusPerNode": 8,
    "replicas.min": 1,
    "replicas.max": 2,
}

ONE_MODEL: Mapping[str, object] = {"models": []}


@cache
def registered() -> Registration:
    return register_stack(stack_of(STACK))


def named(kind: str, name: str) -> Recorded:
    [found] = [one for one in registered().of(kind) if one.metadata["name"] == name]
    return found


def selectors(name: str) -> list[Mapping[str, str]]:
    return [
        named("Deployment", name).spec["selector"]["matchLabels"],
        named("PodDisruptionBudget", name).spec["selector"]["matchLabels"],
        named("Service", name).spec["selector"],
        named("PodMonitor", name).spec["selector"]["matchLabels"],
    ]


def test_every_object_has_a_name_of_its_own() -> None:
    seen = [
        (one.type, one.metadata.get("namespace"), one.metadata["name"])
        for one in registered().resources
        if "metadata" in one.inputs
    ]
    assert len(set(seen)) == len(seen)
    programs = [(one.type, one.name) for one in registered().resources]
    assert len(set(programs)) == len(programs)


def test_selectors_take_the_pods_of_one_model() -> None:
    for own, other in permutations(NAMES):
        labels = named("Deployment", own).template["metadata"]["labels"]
        assert all(selector.items() <= labels.items() for selector in selectors(own))
        assert not any(selector.items() <= labels.items() for selector in selectors(other))


def test_each_is_scaled_by_its_own_requests() -> None:
    for name, model in zip(NAMES, stack_of(STACK).models, strict=True):
        scaled = named("ScaledObject", name).spec
        assert scaled["scaleTargetRef"] == {"name": name}
        assert scaled["maxReplicaCount"] == model.replicas.max
        for trigger in scaled["triggers"]:
            assert f'model_name="{model.model.facts.name}"' in trigger["metadata"]["query"]


def test_each_serves_its_own_weights_under_its_own_name() -> None:
    volumes = set()
    for name, model in zip(NAMES, stack_of(STACK).models, strict=True):
        deployment = named("Deployment", name)
        assert f"--served-model-name={model.model.facts.name}" in deployment.container["args"]
        assert deployment.container["args"][0].endswith(model.model.revision)
        [weights] = [each for each in deployment.pod["volumes"] if each["name"] == "weights"]
        volumes.add(weights["persistentVolumeClaim"]["claimName"])
    assert len(volumes) == len(NAMES)


def other_models_kept_off(deployment: Recorded) -> list[Any]:
    affinity = deployment.pod.get("affinity", {}).get("podAntiAffinity", {})
    return list(affinity.get("requiredDuringSchedulingIgnoredDuringExecution", []))


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    [expression] = selector["matchExpressions"]
    assert expression["operator"] == "NotIn"
    within = selector["matchLabels"].items() <= labels.items()
    return within and labels.get(expression["key"]) not in expression["values"]


def test_a_node_that_comes_and_goes_is_one_model_s() -> None:
    for own, other in permutations(NAMES):
        [term] = other_models_kept_off(named("Deployment", own))
        assert term["topologyKey"] == "kubernetes.io/hostname"
        of_other = named("Deployment", other).template["metadata"]["labels"]
        assert matches(term["labelSelector"], of_other)
        of_own = named("Deployment", own).template["metadata"]["labels"]
        assert not matches(term["labelSelector"], of_own)


@pytest.mark.parametrize("changes", [SERVER, ONE_MODEL])
def test_nodes_of_a_fixed_pool_are_shared_and_one_model_keeps_nobody_off(
    changes: Mapping[str, object],
) -> None:
    for deployment in register_stack(stack_of(STACK, **changes)).of("Deployment"):
        assert not other_models_kept_off(deployment)


def test_the_pool_s_limit_holds_all_replicas_and_those_of_a_rollout() -> None:
    [pool] = registered().of("NodePool")
    most = sum(model.replicas.max + model.surge_replicas for model in stack_of(STACK).models)
    assert int(pool.spec["limits"]["nvidia.com/gpu"]) == most


def test_alerts_about_pods_see_each_pod_once() -> None:
    pods = (
        "model-5d9c7b-x2x4q",
        "model-weights-0a1b2c3d-8fjw2",
        "model-qwen3-14b-5d9c7b-x2x4q",
        "model-qwen3-14b-weights-0a1b2c3d-8fjw2",
    )
    seen: dict[str, list[str]] = {pod: [] for pod in pods}
    for name in NAMES:
        rules = named("PrometheusRule", f"{name}-serving").spec["groups"][0]["rules"]
        [pending] = [rule for rule in rules if rule.get("alert") == "ReplicaPending"]
        [(operator, pattern)] = re.findall(r'pod(=~|!~)"([^"]+)"', pending["expr"])
        for pod in pods:
            if (re.fullmatch(pattern, pod) is not None) == (operator == "=~"):
                seen[pod].append(name)
    assert seen == {pod: ["model-qwen3-14b" if "qwen" in pod else "model"] for pod in pods}


def test_dashboards_have_addresses_of_their_own() -> None:
    texts = [
        text
        for config in registered().of("ConfigMap")
        for file, text in config.inputs["data"].items()
        if file.endswith(".json")
    ]
    addresses = [re.findall(r'"uid": "(breakeven-[^"]+)"', text)[0] for text in texts]
    assert len(addresses) == 2 * 3
    assert len(set(addresses)) == len(addresses)


def test_weights_reach_the_internet_if_any_model_s_are_fetched() -> None:
    filled = register_stack(
        stack_of(STACK, **{"weights.claim": "filled", "weights.hubTokenSecret": ""})
    )
    policies = {policy.metadata["name"] for policy in filled.of("NetworkPolicy")}
    assert "model-weights" in policies
    assert len(filled.of("PersistentVolumeClaim")) == 1
