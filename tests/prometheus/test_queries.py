"""Every PromQL expression of every stack, run by a real Prometheus over recorded series.

What is recorded has the metrics, kinds and labels of the catalogue: a replica alone, then a second
another one, and a time at which there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from breakeven.manifests.monitoring.promql import job_name
from breakeven.manifests.serving.labels import GROUP_NAME
from breakeven.settings.stack import Settings, Stack
from tests.prometheus.server import Prometheus, Selector, Series, finite, prometheus
from tests.promql_found import Found, expressions_of
from tests.recording import STACKS, register_stack, settings_of, stack_of
from tests.unit.promql import catalogue

START = 1_795_478_400  # 2026-11-24
ALONE = 60  # in minutes; longer windows take what there is
TOGETHER = 2 * 60
AT = {
    "none": START - 86_400,
    "one replica": START + 60 * ALONE,
    "two replicas": START + 60 * TOGETHER,
}
REPLICAS = {"a": 0, "b": ALONE + 1}

# What vLLM (recorded with 0.32) and the gateway's Envoy put into labels of their own.
OWN = {
    "finished_reason": ("stop", "length", "abort", "error", "repetition"),
    "reason": ("capacity", "deferred"),
    "le": ("0.1", "1.0", "10.0", "+Inf"),
    "status": ("200", "503"),
    "why": ("-", "UC"),
}


def scenario(stack: Stack, selectors: list[Selector]) -> list[Series]:
    """What one replica, and from some time on two, would have left in Prometheus."""
    known = catalogue()
    asked: dict[str, list[dict[str, str]]] = {}
    for selector in selectors:
        asked.setdefault(selector.name, []).append(selector.equal)
    found: dict[tuple[str, frozenset[tuple[str, str]]], Series] = {}
    for name, wanted in asked.items():
        # What a rule of the stack itself records is in no catalogue.
        kind, labels = known.get(name, ("gauge", {"le"} if "_bucket" in name else set()))
        for pod, first in _pods(stack).items():
            of_pod = _labels(stack.models[0], pod, labels)
            for matched in wanted:
                for own in _own({**of_pod, **matched}):
                    grows = 6.0 if kind == "counter" else 0.0
                    value = 2.0 if kind == "gauge" else 0.0
                    series = Series(name, own, value, grows, first, TOGETHER)
                    found.setdefault((name, frozenset(own.items())), series)
    return list(found.values())


def _pods(stack: Stack) -> dict[str, int]:
    """Names as Kubernetes gives them, with the minutes from which on the pods are there."""
    if any(model.engine.pipeline_parallel > 1 for model in stack.models):
        return {f"{GROUP_NAME}-{replica}": first for replica, first in REPLICAS.items()}
    return {
        f"{model.name}-5d9c-{replica}": first
        for model in stack.models
        for replica, first in REPLICAS.items()
    }


def _labels(settings: Settings, pod: str, labels: set[str]) -> dict[str, str]:
    every = {
        "namespace": settings.network.namespace,
        "model_name": settings.model.facts.name,
        "job": job_name(settings),
        "pod": pod,
        "uid": pod,
        # The labels of the measured pod, in addition to the exporter's own.
        "exported_pod": pod,
        "exported_namespace": settings.network.namespace,
        "instance": f"{pod}:8000",
        "container": "vllm",
        "endpoint": "http",
        "engine": "0",
    }
    return {label: every.get(label, "any") for label in labels}


def _own(given: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Spreads labels that have several values."""
    spread = [dict(given)]
    for label, values in OWN.items():
        if given.get(label) == "any":
            spread = [{**one, label: value} for one in spread for value in values]
    yield from spread


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus without series, which is asked what is in an expression."""
    with prometheus(tmp_path_factory.mktemp("parser"), [], START) as server:
        yield server


QUERYING = [
    stack
    for stack in STACKS
    if settings_of(stack).monitoring.enabled or settings_of(stack).replicas.autoscaling
]
"""Stacks that ask Prometheus for anything; a laptop's does not."""


@pytest.fixture(scope="module", params=QUERYING)
def recorded(
    request: pytest.FixtureRequest, parser: Prometheus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Prometheus, list[Found]]]:
    stack = stack_of(request.param)
    expressions = expressions_of(register_stack(stack))
    selectors = [one for found in expressions for one in parser.selectors(found.text)]
    series = scenario(stack, selectors)
    with prometheus(tmp_path_factory.mktemp("prometheus"), series, START) as server:
        yield server, expressions


Recorded = tuple[Prometheus, list[Found]]


def test_every_expression_runs_whatever_there_is(recorded: Recorded) -> None:
    server, expressions = recorded
    assert expressions
    for found in expressions:
        for at in AT.values():
            server.query(found.text, at)


def test_every_metric_in_it_is_found_where_there_is_a_replica(recorded: Recorded) -> None:
    server, expressions = recorded
    for found in expressions:
        for selector in server.selectors(found.text):
            for when in ("one replica", "two replicas"):
                assert server.query(selector.text, AT[when]), f"{selector.text} of {found}"


def test_panels_and_recorded_series_have_a_value_where_there_is_a_replica(
    recorded: Recorded,
) -> None:
    server, expressions = recorded
    for found in expressions:
        if found.kind in {"panel", "record"}:
            for when in ("one replica", "two replicas"):
                assert finite(server.query(found.text, AT[when])), found


def test_scaling_asks_for_one_number_that_counts_all_replicas(recorded: Recorded) -> None:
    # Two numbers are an error to KEDA; one replica's number would scale by half of the load.
    server, expressions = recorded
    for found in expressions:
        if found.kind == "scaling":
            [one] = server.query(found.text, AT["one replica"])
            [two] = server.query(found.text, AT["two replicas"])
            assert two == 2 * one > 0, found


def test_scaling_finds_nothing_rather_than_no_load_where_nothing_is_scraped(
    recorded: Recorded,
) -> None:
    # Nothing is an error to KEDA, upon which replicas stay; a zero would remove them.
    server, expressions = recorded
    for found in expressions:
        if found.kind == "scaling":
            assert server.query(found.text, AT["none"]) == [], found


def test_somebody_is_called_where_there_is_nothing(recorded: Recorded) -> None:
    server, expressions = recorded
    for found in expressions:
        if found.name in {"ModelUnavailable", "ScalingBlind"}:
            assert server.query(found.text, AT["none"]), found
            assert not server.query(found.text, AT["two replicas"]) or found.name != (
                "ModelUnavailable"
            )
