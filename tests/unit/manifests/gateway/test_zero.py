"""From zero replicas, the gateway holds requests within bounds of number, bytes, and time."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import yaml

from breakeven.manifests.gateway.limits import Hold, holds_of, longest_answer
from breakeven.manifests.gateway.sizing import MEMORY_BYTES
from breakeven.manifests.render import render
from breakeven.manifests.serving.timings import replica_start
from breakeven.planning.offline import load_values
from breakeven.reports.estimate_text import render as text_of
from breakeven.settings.files import stack_values, with_settings
from breakeven.settings.stack import Settings
from tests.each import each
from tests.recording import settings_of, stack_of

ZERO: dict[str, object] = {"replicas.min": 0, "gateway.mode": "self-host", "gateway.enabled": True}


def held(settings: Settings) -> Hold:
    [hold] = holds_of(settings, settings.gateway).values()
    return hold


@each("megabytes", [1, 8, 64])
def test_what_is_held_fits_a_quarter_of_a_pods_memory(megabytes: int) -> None:
    settings = settings_of("hybrid", **ZERO, **{"gateway.maxBodyMegabytes": megabytes})
    bytes_held = held(settings).requests * megabytes * 2**20
    assert 0 < bytes_held <= MEMORY_BYTES / 4


@each("model", ["llama-3.1-8b-instruct", "qwen2.5-7b-instruct"])
def test_a_request_waits_longer_than_a_replica_is_expected_to_start(model: str) -> None:
    changes = {"model.name": model, "model.repository": "", "model.revision": ""}
    settings = settings_of("hybrid", **ZERO, **changes)
    assert held(settings).least_seconds >= replica_start(settings) + 60


def test_nothing_ends_a_request_while_it_waits_and_is_answered() -> None:
    settings = settings_of("hybrid", **ZERO)
    longest = settings.engine.longest_request_seconds + held(settings).most_seconds
    assert longest_answer(settings, settings.gateway) == longest
    found = {one.key: one.manifest for one in render(stack_of("hybrid", **ZERO))}
    pod = found["Deployment/gateway"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > longest
    envoy = yaml.safe_load(found["ConfigMap/gateway"]["data"]["envoy.yaml"])
    [clients] = [one for one in envoy["static_resources"]["listeners"] if one["name"] == "clients"]
    manager: dict[str, Any] = clients["filter_chains"][0]["filters"][0]["typed_config"]
    assert int(manager["stream_idle_timeout"].rstrip("s")) > longest


def test_where_a_replica_always_runs_nothing_is_held() -> None:
    settings = settings_of("hybrid")
    assert not holds_of(settings, settings.gateway)
    text = json.dumps([dict(one.manifest) for one in render(stack_of("hybrid"))])
    assert "retriable_headers" not in text


TWO: dict[str, object] = {
    "gateway.enabled": True,
    "gateway.teams": {"chat": {}},
    "gateway.maxBodyMegabytes": 8,
}


def test_of_several_models_those_at_zero_share_what_a_pod_holds() -> None:
    first, second = stack_of("two-models", **TWO, **{"replicas.min": 0}).models
    names = first.name, second.name
    for model in (first, second):
        assert [*holds_of(model, model.gateway)] == [names[0]]
    alone = holds_of(first, first.gateway)[names[0]]
    assert alone.requests == 32
    changes: dict[str, object] = {"replicas.min": 0, "models[1].replicas.min": 0}
    first, second = stack_of("two-models", **TWO, **changes).models
    both = holds_of(first, first.gateway)
    assert both == holds_of(second, second.gateway)
    assert [both[name].requests for name in names] == [16, 16]
    # Each waits for the start of its own replica: two sizes of weights.
    for model in (first, second):
        assert both[model.name].least_seconds >= replica_start(model) + 60
    assert both[names[0]].tries != both[names[1]].tries


def test_the_estimate_says_of_which_model_requests_are_held() -> None:
    values = with_settings(stack_values("two-models"), {**TWO, "models[1].replicas.min": 0})
    report = load_values("two-models", values, date(2026, 11, 30)).report()
    text = " ".join(text_of(report).split())
    assert "While no replica of qwen3-14b is ready, each gateway pod holds up to 32" in text
    assert "While no replica of llama" not in text


def test_only_models_at_zero_wait_and_nobody_is_told_of_it() -> None:
    stack = stack_of("two-models", **TWO, **{"models[1].replicas.min": 0})
    found = {one.key: one.manifest for one in render(stack)}
    envoy = yaml.safe_load(found["ConfigMap/gateway"]["data"]["envoy.yaml"])
    [clients] = [one for one in envoy["static_resources"]["listeners"] if one["name"] == "clients"]
    manager = clients["filter_chains"][0]["filters"][0]["typed_config"]
    [host] = manager["route_config"]["virtual_hosts"]
    assert host["response_headers_to_remove"] == ["x-waits"]
    waiting = [
        one["route"]["cluster"]
        for one in host["routes"]
        if "retriable_headers" in one.get("route", {}).get("retry_policy", {})
    ]
    assert waiting == [f"to-own-{stack.models[1].name}"]
    retries = {
        one["name"]: one["circuit_breakers"]["thresholds"][0]["max_retries"]
        for one in envoy["static_resources"]["clusters"]
        if one["name"].startswith("to-own")
    }
    assert retries == {"to-own": 1_000_000, waiting[0]: 32}


def test_requests_that_wait_too_long_count_in_the_simulated_week_and_the_verdict() -> None:
    changes = {**ZERO, "traffic.tokensPerDay": 100_000}
    values = with_settings(stack_values("hybrid"), changes)
    report = load_values("hybrid", values, date(2026, 11, 30)).report()
    totals = report.simulated.totals
    assert totals.cold_share > 0.5
    assert totals.objective_share < 1 - totals.cold_share + 0.01
    assert report.shortfall is not None
    assert report.shortfall.models[0].serving.lowest == 1
    text = " ".join(text_of(report).split())
    assert f"{totals.cold_share:.1%} of requests come while no replica is ready" in text
    assert "each gateway pod holds up to 32 requests" in text
