"""Pods that see what stays inside have no way out; those with one judge again and hold no key."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.asking import A, assert_complete, eventually, marked
from tests.gateway.client import CHAT
from tests.gateway.conftest import assert_nothing_leaked
from tests.gateway.rendering import EGRESS, Rendered, addresses
from tests.gateway.running import MARK, SECRETS, TEAMS, Cluster, prices
from tests.recording import settings_of


def rendered(**overrides: object) -> Rendered:
    return Rendered.of(settings_of("hybrid", **overrides), prices())


@pytest.fixture(scope="module")
def separate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = Cluster(tmp_path_factory.mktemp("separate"))
    yield found
    found.close()


def to_the_way_out(cluster: Cluster, headers: Mapping[str, str]) -> int:
    """Asks the pods that call the API, as a pod in front of them would; returns the status."""
    connection = http.client.HTTPConnection("127.0.0.1", cluster.egress_port, timeout=20)
    body = {"model": "any", "messages": [{"role": "user", "content": MARK}]}
    asked = {"Content-Type": "application/json", "Host": "api.openai.com", **headers}
    with contextlib.closing(connection):
        connection.request("POST", CHAT, json.dumps(body), asked)
        response = connection.getresponse()
        response.read()
        return response.status


@contextlib.contextmanager
def second_pod(host: str, port: int) -> Iterator[None]:
    """Another address of the pods that call the API: what comes there goes to the only one here."""

    def forward(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for one in (source, target):
            one.close()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = socket.create_connection(("127.0.0.1", port))
                opened.extend((client, server))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=forward, args=pair, daemon=True).start()

    opened: list[socket.socket] = []
    listening = socket.create_server((host, port))
    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield
    finally:
        for one in (listening, *opened):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        accepting.join()


def test_a_pod_that_cannot_be_reached_loses_nothing_where_there_is_another(
    separate: Cluster,
) -> None:
    """It is gone, and Kubernetes and the health check have not noticed."""
    separate.begin_anew()
    separate.set_replicas()
    here, there = "127.0.0.1", "127.0.0.19"
    [name] = separate.rendered.names("api")
    known = dict(separate.names.addresses)
    with second_pod(there, separate.egress_port):
        separate.names.addresses = {**known, name: (here, there)}
        eventually(lambda: separate.ready("api") == {here, there})
        assert_complete([separate.ask() for _ in range(10)])
    lost = [separate.ask() for _ in range(10)]
    separate.names.addresses = known
    assert_complete(lost)
    assert {one.by for one in lost} == {"api"}
    eventually(lambda: separate.ready("api") == {here})


def test_what_clients_call_names_nothing_outside_the_cluster() -> None:
    """Its only way to the API is the other pods' name: no address outside, no TLS to anybody."""
    found = rendered()
    for cluster in found.bootstrap["static_resources"]["clusters"]:
        assert "transport_socket" not in cluster, cluster["name"]
    for one in addresses(found.bootstrap):
        host = one["address"].rstrip(".")
        assert host in ("127.0.0.1", "0.0.0.0") or host.endswith(".svc.cluster.local")  # noqa: S104
    assert found.names("api") == ["gateway-egress.llm.svc.cluster.local"]


def test_pods_that_call_the_api_know_nothing_else_and_hold_no_key() -> None:
    found = rendered()
    assert found.egress is not None
    clusters = found.egress["static_resources"]["clusters"]
    assert [one["name"] for one in clusters] == ["api", "admin"]
    assert found.names("api", found.egress) == ["api.openai.com"]
    pod = found.pod(EGRESS)
    assert "env" not in pod["containers"][0]
    assert not [volume for volume in pod["volumes"] if "secret" in volume]
    assert not any(secret in json.dumps(found.egress) for secret in SECRETS.values())


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, True),
        ({"gateway.separateInside": False}, False),
        ({"gateway.teams": {"all": {}}}, False),
        ({"gateway.teams": {"all": {}}, "gateway.separateInside": True}, True),
        # Without an API no pod has a way out, and there is nothing to be separated from.
        ({"network.dataMayLeave": False, "gateway.separateInside": True}, False),
    ],
)
def test_pods_are_separate_where_something_must_stay_inside(
    overrides: Mapping[str, Any], expected: bool
) -> None:
    assert (rendered(**overrides).egress is not None) is expected


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-team": "legal"},
        {"x-team": ""},
        {"x-team": "product", "x-stay-inside": "true"},
        {"x-team": "product", "x-stay-inside": "false"},
        {"x-team": "product-legal"},
    ],
)
def test_the_way_out_refuses_what_may_not_leave(
    separate: Cluster, headers: Mapping[str, str]
) -> None:
    separate.begin_anew()
    assert to_the_way_out(separate, headers) == 403
    assert not separate.api.asked


def test_the_way_out_has_no_key_of_its_own_to_give_away(separate: Cluster) -> None:
    separate.begin_anew()
    to_the_way_out(separate, {"x-team": "product"})
    [asked] = separate.api.asked
    assert not asked.header("authorization")
    for name in ("x-team", "x-stay-inside", "x-counted", "x-destination"):
        assert not asked.header(name), name
    separate.api.asked.clear()


def test_a_lost_way_out_costs_nothing_that_stays_inside(separate: Cluster) -> None:
    separate.begin_anew()
    separate.set_replicas(A)
    separate.stop("egress")
    try:
        assert_complete(marked(separate))
        assert_complete([separate.ask()])
        separate.set_replicas()
        assert separate.ask().status == 503
        assert {one.status for one in marked(separate)} == {503}
    finally:
        separate.start_egress()
    assert_nothing_leaked(separate)


def test_one_set_of_pods_calls_the_api_itself_where_all_may_leave(tmp_path: Path) -> None:
    teams = {name: {**team, "dataMayLeave": True} for name, team in TEAMS.items()}
    cluster = Cluster(tmp_path, teams=teams)
    try:
        assert "egress" not in cluster.processes
        answer = cluster.ask()
        assert (answer.status, answer.by) == (200, "api")
        assert {one.status for one in marked(cluster)[:2]} == {503}
    finally:
        cluster.close()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("encrypted")
    found = Cluster(folder, {"gateway.tls.egressSecret": "gateway-egress-certificate"})
    yield found
    found.close()


def test_both_sets_of_pods_speak_tls_to_each_other(encrypted: Cluster) -> None:
    encrypted.begin_anew()
    for stream in (False, True):
        assert_complete([one := encrypted.ask(stream=stream)])
        assert one.by == "api"
    assert {one.status for one in marked(encrypted)} == {503}
    assert_nothing_leaked(encrypted)
    assert encrypted.rendered.egress is not None
    pods = [encrypted.rendered.pod(name) for name in ("gateway", EGRESS)]
    keys = [
        [one["name"] for one in pod["volumes"] if "secret" in one and "items" not in one["secret"]]
        for pod in pods
    ]
    assert keys == [["team-keys"], ["tls"]], "neither has the other's key"


def test_plain_http_to_the_way_out_is_refused(encrypted: Cluster) -> None:
    encrypted.begin_anew()
    with pytest.raises((http.client.HTTPException, OSError)):
        to_the_way_out(encrypted, {"x-team": "product"})
    assert not encrypted.api.asked


def test_pods_with_somebody_elses_certificate_get_nothing_that_leaves(encrypted: Cluster) -> None:
    encrypted.begin_anew()
    encrypted.set_replicas(A)
    encrypted.stop("egress")
    encrypted.show_to_each_other("somebody-else.llm.svc")
    encrypted.start_egress()
    try:
        assert_complete([encrypted.ask()])
        assert_complete(marked(encrypted))
        encrypted.set_replicas()
        assert encrypted.ask().status == 503
        assert not encrypted.api.asked
    finally:
        encrypted.show_to_each_other("gateway-egress.llm.svc")
