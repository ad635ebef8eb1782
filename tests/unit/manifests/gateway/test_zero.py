"""From zero replicas, the gateway holds requests within bounds of number, bytes, and time."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import yaml

from breakeven.manifests.gateway.limits import Hold, hold_of, longest_answer
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
    hold = hold_of(settings, settings.gateway)
    assert hold is not None
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
    assert hold_of(settings, settings.gateway) is None
    text = json.dumps([dict(one.manifest) for one in render(stack_of("hybrid"))])
    assert "retriable_headers" not in text


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
