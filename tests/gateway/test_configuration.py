"""What every stack renders for Envoy: that Envoy takes it, and what must be in it.

A trap that cost somebody an outage has a test here or in test_faults.py; each says which.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gateway.certificates import server_context
from tests.gateway.environment import envoy
from tests.gateway.rendering import EGRESS, Rendered, addresses, written
from tests.gateway.running import SECRETS, prices
from tests.recording import STACKS, settings_of

WITH_GATEWAY = tuple(stack for stack in STACKS if settings_of(stack).gateway.mode == "hybrid")
VARIANTS: dict[str, dict[str, object]] = {
    "as it is": {},
    "nothing may leave": {"network.dataMayLeave": False},
    "one team": {"gateway.teams": {"only": {}}},
    "no team may leave": {"gateway.teams": {"legal": {"dataMayLeave": False}}},
    "every limit": {
        "gateway.teams": {
            "all": {
                "tokensPerDay": 10**9,
                "usdPerMonth": "1000000000",
                "requestsPerMinute": 10**6,
                "requestsInFlight": 4096,
                "maxOutputTokens": 10**6,
            }
        }
    },
    "by TLS": {
        "gateway.tls.secret": "gateway-certificate",
        "network.tlsSecret": "model-certificate",
    },
    "with tokens": {
        "gateway.oidc.issuer": "https://login.example.com",
        "gateway.oidc.audience": "llm",
        "gateway.oidc.jwksUri": "https://login.example.com/certs",
    },
    "no API at all": {"gateway.mode": "self-host", "gateway.enabled": True},
    "with a candidate": {"candidate.settings": {"engine.maxRequests": 128}},
    "with a candidate and no API": {
        "candidate.settings": {"engine.maxRequests": 128},
        "gateway.mode": "self-host",
        "gateway.enabled": True,
    },
    "from zero replicas": {"replicas.min": 0},
    "from zero replicas without an API": {
        "replicas.min": 0,
        "gateway.mode": "self-host",
        "gateway.enabled": True,
    },
    "all in one set of pods": {"gateway.separateInside": False},
    "many teams": {"gateway.teams": {f"team-{number}": {} for number in range(200)}},
}


def rendered(stack: str, variant: str) -> Rendered:
    return Rendered.of(settings_of(stack, **VARIANTS[variant]), prices())


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("stack", WITH_GATEWAY)
def test_envoy_takes_what_a_stack_renders(stack: str, variant: str, tmp_path: Path) -> None:
    """As it is deployed, but for where its files lie; an unknown or old field is a mistake."""
    configuration = tmp_path / "configuration"
    configuration.mkdir()
    server_context(tmp_path, "server")
    found = rendered(stack, variant)
    for folder in ("certificate", "engine-ca"):
        (tmp_path / folder).mkdir()
        server_context(tmp_path / folder, "server")
        (tmp_path / folder / "ca.pem").rename(tmp_path / folder / "ca.crt")
    for name, text in found.data("gateway").items():
        (configuration / name).write_text(written(text, tmp_path))
    assert_taken(configuration / "envoy.yaml")
    if found.egress is not None:
        file = configuration / "egress.yaml"
        file.write_text(written(found.data(EGRESS)["envoy.yaml"], tmp_path))
        assert_taken(file)


def assert_taken(configuration: Path) -> None:
    """Fails unless Envoy takes a configuration without a word about old fields."""
    done = subprocess.run(
        [envoy(), "--mode", "validate", "-c", configuration, "--log-level", "warning"],
        env={"OWN_API_KEY": "x", "OVERFLOW_API_KEY": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "eprecated" not in done.stderr


def trees(stack: str = "hybrid", variant: str = "as it is") -> dict[str, Any]:
    """Clusters of a stack, by name."""
    clusters = rendered(stack, variant).bootstrap["static_resources"]["clusters"]
    return {one["name"]: one for one in clusters}


def test_a_stack_that_lets_nothing_out_names_no_way_out() -> None:
    """Neither an address outside, nor a key for one, nor a port of its own."""
    for variant in ("nothing may leave", "no API at all"):
        found = rendered("hybrid", variant)
        text = yaml.safe_dump(found.bootstrap) + yaml.safe_dump(found.container("gateway", "envoy"))
        assert "OVERFLOW_API_KEY" not in text
        assert set(trees(variant=variant)) & {"api", "to-api", "own-then-api"} == set()
        for one in addresses(found.bootstrap):
            host = one["address"].rstrip(".")
            # Four zeros are what it listens on.
            assert host.startswith(("127.0.0.1", "0.0.0")) or host.endswith(".svc.cluster.local")


def test_only_the_port_for_clients_and_that_for_probes_are_reachable() -> None:
    """Administration and inner listeners are on loopback."""
    found = rendered("hybrid", "as it is").bootstrap
    reachable = {
        one["port_value"]
        for listener in found["static_resources"]["listeners"]
        for one in addresses(listener["address"])
        if one["address"] != "127.0.0.1"
    }
    assert reachable == {8000, 9464}
    assert found["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"


def test_no_cluster_has_envoys_own_limits() -> None:
    """Trap: a composite cluster's own max_retries is 3; 2,453 of 2,972 overflows got 503."""
    for name, cluster in trees().items():
        if name in ("admin", "ratelimit"):
            continue
        [thresholds] = cluster["circuit_breakers"]["thresholds"]
        for limit in ("max_connections", "max_requests", "max_retries"):
            assert thresholds[limit] >= 10_000, (name, limit)


def test_a_replica_that_is_silent_is_given_up_after_ten_seconds() -> None:
    """Trap: a failed health check ends no request under way; TCP_USER_TIMEOUT does."""
    for name in ("own", "inside"):
        [option] = trees()[name]["upstream_bind_config"]["socket_options"]
        assert (option["level"], option["name"], option["int_value"]) == (6, 18, 10_000)
        assert trees()[name]["upstream_connection_options"]["tcp_keepalive"]


def test_one_thread_counts_what_is_in_flight() -> None:
    """Trap: idle connections of another thread count against a replica's limit."""
    arguments = rendered("hybrid", "as it is").container("gateway", "envoy")["args"]
    assert "--concurrency 1" in " ".join(arguments).replace("=", " ")


def test_the_keys_of_others_are_not_in_the_configuration() -> None:
    found = rendered("hybrid", "as it is")
    text = "".join(found.data("gateway").values()) + "".join(found.data("gateway-store").values())
    for secret in SECRETS.values():
        assert secret not in text


def test_every_retry_is_on_purpose() -> None:
    """An API is never asked twice for one request, both would be paid; but it must be reached."""
    listeners = rendered("hybrid", "as it is").bootstrap["static_resources"]["listeners"]
    [api] = [one for one in listeners if one["name"] == "api"]
    reasons = re.findall(r"retry_on: (.*)", yaml.safe_dump(api))
    assert reasons == ["connect-failure"]
    assert "retriable" not in yaml.safe_dump(api)
