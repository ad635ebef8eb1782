"""Clients call the gateway by TLS, and the gateway the engine; both check, plain is refused."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.asking import A, B, assert_complete, marked
from tests.gateway.certificates import server_context
from tests.gateway.conftest import assert_nothing_leaked
from tests.gateway.running import Cluster

SETTINGS: dict[str, Any] = {
    "gateway.tls.secret": "gateway-certificate",
    "gateway.hostname": "llm.example.internal",
    "network.tlsSecret": "model-certificate",
}


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("tls"), SETTINGS)
    yield cluster
    cluster.close()


def handshake(port: int, trusts: ssl.SSLContext, name: str = "localhost") -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    return trusts.wrap_socket(plain, server_hostname=name)


def test_requests_reach_the_replicas_by_tls_both_ways(protected: Cluster) -> None:
    protected.begin_anew()
    protected.set_replicas(A, B)
    assert_complete([protected.ask() for _ in range(4)])
    assert_complete([protected.ask(stream=True)])
    assert_complete(marked(protected))
    protected.set_replicas()
    assert protected.ask().by == "api"
    assert_nothing_leaked(protected)


def test_plain_http_is_refused(protected: Cluster) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", protected.port, timeout=10)
    connection.request("GET", "/v1/models", headers={"Authorization": "Bearer sk-product"})
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse()
    connection.close()


def test_a_client_with_another_trusted_authority_rejects_the_gateway(
    protected: Cluster, tmp_path: Path
) -> None:
    server_context(tmp_path, "localhost")
    stranger = ssl.create_default_context(cafile=tmp_path / "ca.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(protected.port, stranger)
    assert protected.trusts is not None
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(protected.port, protected.trusts, "elsewhere.example")


def test_old_protocols_are_refused_and_the_newer_http_is_offered(protected: Cluster) -> None:
    assert protected.trusts is not None
    with handshake(protected.port, protected.trusts) as connection:
        assert connection.version() == "TLSv1.3"
    context = ssl.create_default_context(cafile=protected.folder / "certificate" / "ca.pem")
    context.set_alpn_protocols(["h2", "http/1.1"])
    with handshake(protected.port, context) as connection:
        assert connection.selected_alpn_protocol() == "h2"
    context = ssl.create_default_context(cafile=protected.folder / "certificate" / "ca.pem")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, OSError)):
        handshake(protected.port, context)


def test_a_renewed_certificate_is_served_without_a_restart(protected: Cluster) -> None:
    protected.begin_anew()
    protected.set_replicas(A)
    process = protected.processes["gateway"]
    protected.renew_certificate()
    deadline = time.monotonic() + 20
    while True:
        assert protected.trusts is not None
        try:
            handshake(protected.port, protected.trusts).close()
            break
        except ssl.SSLCertVerificationError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert_complete([protected.ask()])
    assert protected.processes["gateway"] is process


def test_a_replica_with_another_certificate_gets_no_prompt(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, SETTINGS)
    try:
        cluster.speak_tls_as("model-replicas.llm.svc")
        cluster.write_names(A)
        stranger = cluster.add_replica(A)
        time.sleep(2)
        assert not cluster.ready("inside")
        assert {one.status for one in marked(cluster)} == {503}
        assert not stranger.asked
    finally:
        cluster.close()


def test_the_keys_of_certificates_stay_with_their_owner(protected: Cluster) -> None:
    pod = protected.rendered.pod("gateway")
    [ca] = [volume["secret"] for volume in pod["volumes"] if volume["name"] == "engine-ca"]
    assert [item["key"] for item in ca["items"]] == ["ca.crt"]
    assert "tls.key" not in json.dumps(protected.rendered.egress)
