"""Settings of monitoring and tracing: what they refuse, and with which way out."""

from __future__ import annotations

import pytest

from breakeven.errors import Problem
from breakeven.settings.files import with_settings
from breakeven.settings.monitoring import TracingEndpoint
from breakeven.settings.parse import parse
from breakeven.settings.stack import Settings
from tests.each import each
from tests.recording import settings_of


def problems_of(**values: object) -> tuple[Problem, ...]:
    return parse(with_settings({}, values))[1]


def tracing_of(endpoint: str, **values: object) -> TracingEndpoint:
    settings: Settings = settings_of("dev", **{"monitoring.tracingEndpoint": endpoint}, **values)
    assert settings.monitoring.tracing_endpoint is not None
    return settings.monitoring.tracing_endpoint


@each(
    "endpoint",
    [
        "otel-collector.monitoring.svc:4317",  # no scheme
        "grpc://otel-collector.monitoring.svc:4317",
        "http://otel-collector.monitoring.svc",  # no port
        "http://otel-collector.monitoring.svc:0",
        "http://otel-collector.monitoring.svc:99999",
        "http://otel-collector:4317",  # no namespace: the network rules need it
        "https://api.honeycomb.io:443",
        "http://otel-collector.monitoring.svc:4317/v1/traces",
        "http://user:secret@otel-collector.monitoring.svc:4317",
        "http://otel-collector.monitoring.svc:4317?token=x",
        "http://0.0.0.0:4317",
        "http://169.254.169.254:80",  # hands the machine's credentials to whoever asks
        "http://[fd00:ec2::254]:80",
        "http://[::ffff:169.254.169.254]:80",
        "http://127.0.0.1:4317",
        "http://[::1]:4317",
        "http://[fe80::1]:4317",
        "http://224.0.0.1:4317",
        "http://[ff02::1]:4317",
        "http://255.255.255.255:4317",
        "http://[::1:4317",
        "http://",
    ],
)
def test_an_endpoint_that_can_not_be_used_is_refused_with_one_that_can(endpoint: str) -> None:
    [problem] = problems_of(**{"monitoring.tracingEndpoint": endpoint})
    assert problem.key == "monitoring.tracingEndpoint"
    assert "http://SERVICE.NAMESPACE.svc:4317" in problem.allowed


@pytest.mark.parametrize("address", ["8.8.8.8", "[2606:4700::1111]"])
def test_traces_stay_inside_where_data_must(address: str) -> None:
    endpoint = f"https://{address}:4318"
    [problem] = problems_of(
        **{"monitoring.tracingEndpoint": endpoint, "network.dataMayLeave": False}
    )
    assert problem.key == "monitoring.tracingEndpoint"
    assert "public address" in problem.found
    assert tracing_of(endpoint).namespace is None


@pytest.mark.parametrize(
    "host", ["10.1.2.3", "192.168.7.1", "100.64.0.9", "[fd00::1]", "otel.obs.svc"]
)
def test_a_private_collector_may_have_them(host: str) -> None:
    assert tracing_of(f"http://{host}:4317", **{"network.dataMayLeave": False}).port == 4317


@pytest.mark.parametrize(
    "endpoint",
    ["http://otel.obs.svc:4317", "https://otel.obs.svc.cluster.local:443", "http://[fd00::1]:4317"],
)
def test_vllm_is_given_the_endpoint_as_it_was_stated(endpoint: str) -> None:
    assert tracing_of(endpoint).url == endpoint


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("traffic.interTokenLatencySeconds", "0"),
        ("traffic.interTokenLatencySeconds", "fast"),
        ("monitoring.gpuMetrics", "yes"),
        ("monitoring.runbooks", ""),
        ("monitoring.runbooks", "https://wiki.example/runbooks/"),
        ("monitoring.runbooks", "ftp://wiki.example/runbooks"),
        ("monitoring.runbooks", "docs/run books"),
    ],
)
def test_a_value_that_can_not_be_used_is_refused_by_its_key(key: str, value: str) -> None:
    [problem] = problems_of(**{key: value})
    assert problem.key == key
    assert problem.allowed.startswith("Allowed: ")
