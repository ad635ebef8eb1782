"""Parts of Envoy that the gateway uses; SECURITY.md names those outside its threat model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from breakeven.settings.files import ROOT
from tests.unit.manifests.gateway.test_component import rendered

ROBUST, DOWNSTREAM = "robust to both sides", "robust to untrusted clients"
TRUSTED, UNKNOWN, NO_TRAFFIC = "requires trusted sides", "unknown", "sees no traffic"
POSTURES = {
    "envoy.access_loggers.stats": TRUSTED,
    "envoy.access_loggers.stdout": DOWNSTREAM,
    "envoy.clusters.composite": TRUSTED,
    "envoy.clusters.dns": ROBUST,
    "envoy.filters.http.header_mutation": UNKNOWN,
    "envoy.filters.http.jwt_authn": DOWNSTREAM,
    "envoy.filters.http.lua": DOWNSTREAM,
    "envoy.filters.http.ratelimit": DOWNSTREAM,
    "envoy.filters.http.router": ROBUST,
    "envoy.filters.http.upstream_codec": ROBUST,
    "envoy.filters.network.http_connection_manager": DOWNSTREAM,
    "envoy.http.early_header_mutation.header_mutation": ROBUST,
    "envoy.resource_monitors.fixed_heap": NO_TRAFFIC,
    "envoy.resource_monitors.global_downstream_max_connections": NO_TRAFFIC,
    "envoy.retry_host_predicates.previous_hosts": DOWNSTREAM,
    "envoy.transport_sockets.tls": ROBUST,
}
"""security_posture in envoyproxy/envoy, source/extensions/extensions_metadata.yaml at commit
0068f37e3fc104c5d1fde857b893d7bd65fd74d6, read on 2026-12-01."""

EVERYTHING: dict[str, object] = {
    "network.tlsSecret": "engine",
    "gateway.tls.secret": "front",
    "gateway.tls.egressSecret": "back",
    "gateway.oidc.issuer": "https://login.example.com",
    "gateway.oidc.audience": "llm",
    "gateway.oidc.jwksUri": "https://login.example.com/keys",
}


def _extensions(tree: Any) -> Iterator[str]:
    """Every extension that a piece of configuration names together with its type."""
    if isinstance(tree, dict):
        if "typed_config" in tree and str(tree.get("name", "")).startswith("envoy."):
            yield tree["name"]
        for value in tree.values():
            yield from _extensions(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _extensions(value)


def used() -> set[str]:
    found = {
        name
        for one in rendered(**EVERYTHING).of("ConfigMap")
        if "envoy.yaml" in one.inputs["data"]
        for name in _extensions(yaml.safe_load(one.inputs["data"]["envoy.yaml"]))
    }
    assert found
    return found


def test_the_posture_of_each_extension_is_known() -> None:
    assert used() == set(POSTURES)


def test_security_names_those_outside_the_threat_model() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    [part] = re.findall(r"\*\*Parts of Envoy outside.*?\n\n", text, re.DOTALL)
    outside = {name for name in used() if POSTURES[name] in (TRUSTED, UNKNOWN)}
    named = part.partition("Keys and bodies")[0]
    assert set(re.findall(r"`(envoy\.[\w.]+)`", named)) == outside
    for name in ("api_key_auth", "sse_to_metadata", "json_to_metadata"):
        assert not any(one.endswith(name) for one in used()), json.dumps(sorted(used()))
