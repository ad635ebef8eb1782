"""Clients get the address that serves them: the gateway's, if there is one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from breakeven.manifests.endpoints import endpoints_of
from tests.recording import stack_of

TEAMS: dict[str, object] = {"gateway.teams": {"chat": {}}}


@pytest.mark.parametrize(
    ("stack", "changed", "endpoint"),
    [
        ("dev", {}, "http://model.llm.svc:8000/v1"),
        ("dev", {"gateway.enabled": True, **TEAMS}, "http://gateway.llm.svc:8000/v1"),
        ("hybrid", {}, "http://gateway.llm.svc:8000/v1"),
        ("hybrid", {"gateway.tls.secret": "certificate"}, "https://gateway.llm.svc:8000/v1"),
        # The engine's certificate is between it and the gateway.
        ("hybrid", {"network.tlsSecret": "certificate"}, "http://gateway.llm.svc:8000/v1"),
    ],
)
def test_the_endpoint_is_whom_clients_may_call(
    stack: str, changed: Mapping[str, object], endpoint: str
) -> None:
    found = stack_of(stack, **changed)
    expected = endpoint.replace(".llm.", f".{found.network.namespace}.")
    assert endpoints_of(found)["endpoint"] == expected
