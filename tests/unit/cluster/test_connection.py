"""A kubeconfig leads to its cluster, and every fault on the way is one message without secrets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from breakeven.cluster.connection import UnknownKindError, connect
from breakeven.cluster.errors import (
    ClusterError,
    ForbiddenError,
    KubeconfigError,
    RefusedError,
    UnauthorizedError,
    UnreachableError,
)
from tests.unit.cluster.recorded import TOKEN, Recorded, serving, write_kubeconfig

NODES = "/api/v1/nodes"


def test_objects_come_page_by_page_with_the_users_token(tmp_path: Path) -> None:
    recorded = Recorded({NODES: {"items": [{"kind": "Node"}], "metadata": {"continue": ""}}})
    with serving(recorded) as address:
        cluster = connect(write_kubeconfig(tmp_path / "config", address))
        assert list(cluster.items(NODES)) == [{"kind": "Node"}]
    assert (cluster.context, cluster.namespace, cluster.address) == ("here", "llm", address)
    assert recorded.calls == [("GET", f"{NODES}?limit=500", None)]
    assert TOKEN not in repr(cluster)


def test_a_kubeconfig_that_cannot_be_used_is_one_message_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = write_kubeconfig(tmp_path / "good", "http://127.0.0.1:1", {"prod": "llm", "dev": "x"})
    torn = tmp_path / "torn"
    torn.write_text(f'users: [{{token: "{TOKEN}]\n', encoding="utf-8")
    text = tmp_path / "text"
    text.write_text(f"just {TOKEN}\n", encoding="utf-8")
    empty = tmp_path / "empty"
    empty.write_text("", encoding="utf-8")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    cases = {
        "none": (None, None, "is not a file. Set --kubeconfig"),
        "absent": (tmp_path / "absent", None, "absent is not a file"),
        "wrong context": (good, "prd", 'no context "prd"; near: prod. Allowed: dev, prod'),
        "torn": (torn, None, "not a valid kubeconfig: invalid YAML in line"),
        "text": (text, None, "not a valid kubeconfig"),
        "empty": (empty, None, "not a valid kubeconfig"),
    }
    for case, (file, context, said) in cases.items():
        with pytest.raises(KubeconfigError) as caught:
            connect(file, context)
        assert said in str(caught.value), case
        assert TOKEN not in str(caught.value), case


def test_a_command_for_credentials_that_fails_is_named_and_not_quoted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = write_kubeconfig(tmp_path / "config", "https://127.0.0.1:1")
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    helper = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never"}
    users = (
        {"exec": {**helper, "command": "no-such-helper"}},
        {"exec": {**helper, "command": "sh", "args": ["-c", f"echo {TOKEN} >&2; exit 1"]}},
        {"client-certificate": "/no/such.crt", "client-key": "/no/such.key"},
        {"tokenFile": "/no/such.token"},
    )
    for user in users:
        said = "credential command" if "exec" in user else "/no/such"
        config["users"][0]["user"] = user
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        with pytest.raises(KubeconfigError, match=said) as caught:
            connect(file)
        assert TOKEN not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_an_api_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = connect(write_kubeconfig(tmp_path / "config", f"http://127.0.0.1:{port}"))
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{port} does not respond .connection"):
        cluster.get(NODES)


def test_an_api_server_that_stops_in_the_middle_is_no_traceback(tmp_path: Path) -> None:
    recorded = Recorded({NODES: {"items": []}}, dies_after=1)
    with serving(recorded) as address:
        cluster = connect(write_kubeconfig(tmp_path / "config", address))
        cluster.get(NODES)
        with pytest.raises(UnreachableError, match="closed the connection"):
            cluster.get(NODES)


def test_refusals_are_told_apart(tmp_path: Path) -> None:
    said = 'nodes is forbidden: User "eve" cannot list resource "nodes"'
    pod_security = 'pods "x" is forbidden: violates PodSecurity "restricted:latest"'
    recorded = Recorded(
        {
            "/a": (403, {"kind": "Status", "reason": "Forbidden", "message": said}),
            "/b": (403, {"kind": "Status", "reason": "Forbidden", "message": pod_security}),
            "/c": (401, {"kind": "Status", "reason": "Unauthorized", "message": "Unauthorized"}),
            "/d": (422, {"kind": "Status", "reason": "Invalid", "message": "spec.x: wrong"}),
            "/e": (502, "<html>a proxy</html>"),
            "/f": "<html>a web server</html>",
        }
    )
    kinds: dict[str, type[ClusterError]] = {
        "/a": ForbiddenError,
        "/b": RefusedError,
        "/c": UnauthorizedError,
        "/d": RefusedError,
        "/e": RefusedError,
        "/f": UnreachableError,
    }
    with serving(recorded) as address:
        cluster = connect(write_kubeconfig(tmp_path / "config", address))
        for path, kind in kinds.items():
            with pytest.raises(ClusterError) as caught:
                cluster.get(path)
            assert type(caught.value) is kind, path
        assert cluster.find("/nowhere") is None


def test_a_dry_run_keeps_nothing_and_refuses_unknown_fields(tmp_path: Path) -> None:
    recorded = Recorded(
        {
            "/apis/apps/v1": {
                "resources": [
                    {"name": "deployments", "kind": "Deployment", "namespaced": True},
                    {"name": "deployments/scale", "kind": "Scale", "namespaced": True},
                ]
            },
            "PATCH /apis/apps/v1/namespaces/llm/deployments/model": {},
        }
    )
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "model"}}
    with serving(recorded) as address:
        cluster = connect(write_kubeconfig(tmp_path / "config", address))
        cluster.dry_run(manifest)
        with pytest.raises(UnknownKindError, match="no ScaledObject in keda"):
            cluster.dry_run({**manifest, "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject"})
    method, target, body = recorded.calls[1]
    assert (method, body) == ("PATCH", manifest)
    assert "dryRun=All" in target
    assert "fieldValidation=Strict" in target
