"""A candidate has replicas of its own, and leaves the model's as they are."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from breakeven.manifests.monitoring.promql import pod_selector
from breakeven.manifests.render import render, stack_components
from breakeven.manifests.resource import Resource
from breakeven.settings.stack import Stack
from tests.recording import stack_of

SAME_POOL: dict[str, object] = {
    "candidate.settings": {"engine.kvCachePrecision": "fp8"},
    "candidate.trafficPercent": 20,
}
OTHER_GPU: dict[str, object] = {
    "candidate.settings": {"pool.gpu": "h100", "pool.instanceTypes": ["p5.4xlarge"]}
}


def by_key(stack: Stack) -> dict[str, Resource]:
    return {resource.key: resource for resource in render(stack)}


def envoy(stack: Stack) -> dict[str, Any]:
    config = by_key(stack)["ConfigMap/gateway"].manifest["data"]["envoy.yaml"]
    return dict(yaml.safe_load(config)["static_resources"])


def test_replicas_of_the_model_are_not_touched_when_a_candidate_comes_and_goes() -> None:
    alone, both = by_key(stack_of("hybrid")), by_key(stack_of("hybrid", **SAME_POOL))
    withdrawn = by_key(stack_of("hybrid", **SAME_POOL, **{"candidate.stage": "withdrawn"}))
    assert {key: one.manifest for key, one in withdrawn.items()} == {
        key: one.manifest for key, one in alone.items()
    }
    assert both["Deployment/model"].manifest == alone["Deployment/model"].manifest
    assert both["Service/model"].manifest == alone["Service/model"].manifest


def test_no_selector_of_one_finds_pods_of_the_other() -> None:
    found = by_key(stack_of("hybrid", **SAME_POOL))
    for own, other in (("model", "model-candidate"), ("model-candidate", "model")):
        labels = found[f"Deployment/{other}"].manifest["spec"]["template"]["metadata"]["labels"]
        for key in (f"Service/{own}", f"Service/{own}-replicas"):
            assert not found[key].manifest["spec"]["selector"].items() <= labels.items(), key
        monitor = found[f"PodMonitor/{own}"].manifest["spec"]["selector"]["matchLabels"]
        assert not monitor.items() <= labels.items()


def test_a_node_that_comes_for_a_candidate_has_no_replica_of_the_model() -> None:
    pod = by_key(stack_of("hybrid", **SAME_POOL))["Deployment/model-candidate"].manifest
    assert "podAntiAffinity" in pod["spec"]["template"]["spec"]["affinity"]


def test_the_model_is_scaled_and_watched_by_its_own_replicas_alone() -> None:
    found = by_key(stack_of("hybrid", **SAME_POOL))
    scaler = json.dumps(found["ScaledObject/model"].manifest)
    assert 'pod!~\\\\\\"model-candidate-.+' in scaler or "pod!~" in scaler
    assert scaler.count("num_requests") == scaler.count("pod!~")
    assert "ScaledObject/model-candidate" not in found


def test_the_share_goes_to_the_candidate_and_may_go_where_the_rest_may() -> None:
    resources = envoy(stack_of("hybrid", **SAME_POOL))
    [clients] = [one for one in resources["listeners"] if one["name"] == "clients"]
    manager = clients["filter_chains"][0]["filters"][0]["typed_config"]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    shares = [at for at, one in enumerate(routes) if "runtime_fraction" in one["match"]]
    clusters = {one["name"]: one for one in resources["clusters"]}
    assert len(shares) == 2
    for at in shares:
        share, rest = routes[at], routes[at + 1]
        match = dict(share["match"])
        assert match.pop("runtime_fraction")["default_value"]["numerator"] == 20
        assert (share["name"], match) == (rest["name"], rest["match"])
        tried = _asked(clusters, share["route"]["cluster"])
        assert tried == ["to-candidate", *_asked(clusters, rest["route"]["cluster"])]
        assert share["route"]["retry_policy"]["num_retries"] == len(tried) - 1


def _asked(clusters: dict[str, Any], name: str) -> list[str]:
    kind = clusters[name].get("cluster_type", {})
    entries = kind.get("typed_config", {}).get("clusters")
    return [one["name"] for one in entries] if entries else [name]


def test_without_a_candidate_the_gateway_knows_of_none() -> None:
    assert "candidate" not in json.dumps(envoy(stack_of("hybrid")))


def test_another_gpu_gets_nodes_that_the_model_cannot_use() -> None:
    stack = stack_of("hybrid", **OTHER_GPU)
    [trial] = stack.trials
    assert trial.has_own_pool
    assert stack.peak_gpus == stack_of("hybrid").peak_gpus
    found = by_key(stack)
    pools = [one.manifest for key, one in found.items() if key.startswith("NodePool/")]
    assert len(pools) == 2
    selectors = [
        found[f"Deployment/{name}"].manifest["spec"]["template"]["spec"]["nodeSelector"]
        for name in ("model", "model-candidate")
    ]
    assert selectors[0] != selectors[1]
    made = [pool["spec"]["template"]["metadata"]["labels"] for pool in pools]
    assert all(any(one.items() <= labels.items() for labels in made) for one in selectors)


def test_the_candidate_is_there_before_the_gateway_sends_to_it() -> None:
    components = stack_components(stack_of("hybrid", **SAME_POOL))
    gateway = next(one for one in components if one.name == "gateway")
    assert any(one.kind == "Deployment" for one in gateway.started_last)
    assert any(one.name == "vllm-candidate" for one in components)


BOTH: dict[str, object] = {
    "gateway.mode": "hybrid",
    "gateway.teams": {"chat": {}},
    "gateway.overflow.keySecret": "api-key",
    "pool.gpuQuota": 40,
    "models[0].candidate.settings": {"engine.kvCachePrecision": "fp8"},
    "models[1].candidate.settings": {"engine.kvCachePrecision": "fp8"},
    "models[1].candidate.trafficPercent": 30,
}


def _shares(resources: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Model, share and cluster of each route of a candidate."""
    [clients] = [one for one in resources["listeners"] if one["name"] == "clients"]
    manager = clients["filter_chains"][0]["filters"][0]["typed_config"]
    found = []
    for route in manager["route_config"]["virtual_hosts"][0]["routes"]:
        if fraction := route["match"].get("runtime_fraction"):
            [model] = [one for one in route["match"]["headers"] if one["name"] == "x-model"]
            percent = fraction["default_value"]["numerator"]
            found.append((str(model["string_match"]), percent, route["route"]["cluster"]))
    return found


def test_a_share_of_each_model_goes_to_its_own_candidate_and_then_to_its_own_replicas() -> None:
    stack = stack_of("two-models", **BOTH)
    resources = envoy(stack)
    clusters = {one["name"]: one for one in resources["clusters"]}
    shares = _shares(resources)
    assert len(shares) == 4
    for asked, percent, cluster in shares:
        second = "qwen3" in asked
        assert percent == (30 if second else 10)
        own = "to-own-model-qwen3-14b" if second else "to-own"
        assert _asked(clusters, cluster)[:2] == ["to-candidate", own]
    [listener] = [one for one in resources["listeners"] if one["name"] == "candidate"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    *routes, _ = manager["route_config"]["virtual_hosts"][0]["routes"]
    for route, model in zip(routes, ("llama", "qwen3"), strict=True):
        assert model in str(route["match"]["headers"][1])
        replicas = clusters[route["route"]["cluster"]]["load_assignment"]["endpoints"]
        name = "model-qwen3-14b-candidate" if model == "qwen3" else "model-candidate"
        assert f"'{name}-replicas." in str(replicas)


def test_selectors_of_several_models_and_their_candidates_are_disjoint() -> None:
    stack = stack_of("two-models", **BOTH)
    found = by_key(stack)
    everyone = [*stack.models, *(trial.settings for trial in stack.trials)]
    pods = {
        one.name: found[f"Deployment/{one.name}"].manifest["spec"]["template"]["metadata"]["labels"]
        for one in everyone
    }
    for one in everyone:
        selector = found[f"Service/{one.name}-replicas"].manifest["spec"]["selector"]
        assert [name for name, labels in pods.items() if selector.items() <= labels.items()] == [
            one.name
        ]
    for one in stack.models:
        matchers = re.findall(r'pod(=~|!~)"([^"]+)"', pod_selector(one))
        own = [
            name
            for name in pods
            if all(
                bool(re.fullmatch(pattern, f"{name}-6c8b4-q9z7w")) == (how == "=~")
                for how, pattern in matchers
            )
        ]
        assert own == [one.name], matchers
