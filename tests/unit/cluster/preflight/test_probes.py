"""Pods of a probe tell whether policies hold and images are pulled, and are always removed."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from breakeven.cluster.preflight import probe_pods
from breakeven.cluster.preflight.checks import probes
from breakeven.cluster.preflight.finding import Status
from breakeven.cluster.preflight.run import run_checks
from tests.unit.cluster.preflight.whole import needs_of, probing, whole
from tests.unit.cluster.recorded import Recorded


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_pods, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(secrets, "token_hex", lambda _: "abcd")


_PODS = "/api/v1/namespaces/breakeven-preflight-abcd/pods"


def pod(name: str, state: dict[str, Any]) -> dict[str, Any]:
    status = {"podIP": "10.0.0.9", "containerStatuses": [{"state": state}]}
    return {"metadata": {"name": name}, "status": status}


def _probe(tmp_path: Path, pods: list[dict[str, Any]], *, is_there: bool) -> tuple[Any, Recorded]:
    needs = needs_of("on-prem")
    answers = whole(needs)
    answers[_PODS] = answers["/api/v1/namespaces/llm/pods"] = {"items": pods}
    if not is_there:
        del answers["/api/v1/namespaces/llm"]
    recorded = Recorded(answers)
    with probing(recorded, needs, tmp_path, may_probe=True, seconds=0.2) as probe:
        found = {each.check: each.findings for each in run_checks(probe, probes.CHECKS)}
    return found, recorded


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("open=True closed=False", Status.PASSED),
        ("open=True closed=True", Status.FAILED),
        ("open=False closed=False", Status.UNKNOWN),
        ("", Status.UNKNOWN),
    ],
)
def test_a_pair_of_pods_tells_whether_policies_are_enforced(
    tmp_path: Path, said: str, status: Status
) -> None:
    pods = [
        pod("server", {"running": {}}),
        pod("client", {"terminated": {"message": said}} if said else {"running": {}}),
    ]
    found, recorded = _probe(tmp_path, pods, is_there=True)
    assert [each.status for each in found["network-policies"]] == [status]
    gone = "/api/v1/namespaces/breakeven-preflight-abcd"
    assert ("DELETE", gone, None) in recorded.calls


def test_pods_of_a_probe_are_restricted(tmp_path: Path) -> None:
    _, recorded = _probe(tmp_path, [pod("server", {"running": {}})], is_there=True)
    started = [
        body
        for method, target, body in recorded.calls
        if method == "POST" and body["kind"] == "Pod" and target
    ]
    assert len(started) == 3  # server, client, and one image
    for body in started:
        [container] = body["spec"]["containers"]
        assert body["spec"]["securityContext"]["runAsNonRoot"]
        assert not body["spec"]["automountServiceAccountToken"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "@sha256:" in container["image"]


@pytest.mark.parametrize(
    ("state", "status", "said"),
    [
        ({"terminated": {}}, Status.PASSED, "a node pulled"),
        (
            {"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}},
            Status.FAILED,
            "no such host",
        ),
        ({"waiting": {"reason": "ContainerCreating"}}, Status.UNKNOWN, "takes longer"),
    ],
)
@pytest.mark.parametrize("is_there", [True, False])
def test_an_image_that_no_node_pulls_is_found(
    tmp_path: Path, state: dict[str, Any], status: Status, said: str, is_there: bool
) -> None:
    found, recorded = _probe(tmp_path, [pod("breakeven-pull-0", state)], is_there=is_there)
    [finding] = found["image-pull"]
    assert (finding.status, said in finding.found) == (status, True)
    deleted = [target for method, target, _ in recorded.calls if method == "DELETE"]
    own = "/api/v1/namespaces/llm/pods/breakeven-pull-0"
    assert (own in deleted) == is_there
    assert "/api/v1/namespaces/breakeven-preflight-abcd" in deleted


def test_ctrl_c_removes_what_a_probe_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(probes, "start_pod", interrupted)
    needs = needs_of("on-prem")
    recorded = Recorded(whole(needs))
    with (
        probing(recorded, needs, tmp_path, may_probe=True) as probe,
        pytest.raises(KeyboardInterrupt),
    ):
        list(run_checks(probe, probes.CHECKS))
    method, target, _ = recorded.calls[-1]
    assert (method, target) == ("DELETE", "/api/v1/namespaces/breakeven-preflight-abcd")
