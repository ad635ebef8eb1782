"""Each thing that a stack needs, taken from a recorded cluster, is found, with its fix."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from breakeven.cluster.errors import UnreachableError
from breakeven.cluster.preflight.add_ons import add_ons
from breakeven.cluster.preflight.finding import Status
from breakeven.cluster.preflight.run import Result, run_checks
from tests.unit.cluster.preflight.whole import SECRET, ask, needs_of, probing, whole
from tests.unit.cluster.recorded import TOKEN, Recorded

Answers = dict[str, Any]
_NS = "/api/v1/namespaces/llm"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_KEDA = f"{_CRDS}/scaledobjects.keda.sh"
_PROMETHEUS = "/api/v1/namespaces/monitoring/services/prometheus-operated:9090/proxy/api/v1/targets"


@dataclass(frozen=True)
class Case:
    """Something that is taken away.

    Attributes:
        take: Takes it from the answers.
        check: The check that must notice.
        found: A part of what it must say.
        fix: A part of the fix.
        status: How the check must end.
        stack: Whose cluster it is.
    """

    take: Callable[[Answers], object]
    check: str
    found: str
    fix: str
    status: Status = Status.FAILED
    stack: str = "aws-prod"


def _without(path: str) -> Callable[[Answers], object]:
    return lambda answers: answers.pop(path)


def _put(path: str, value: Any) -> Callable[[Answers], object]:
    return lambda answers: answers.update({path: value})


def _older_keda(answers: Answers) -> None:
    answers[_KEDA] = copy.deepcopy(answers[_KEDA])
    schema = answers[_KEDA]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"]["fallback"]["properties"].pop("behavior")


def _half(answers: Answers) -> None:
    answers["/apis/keda.sh"] = {"versions": [{"version": "v1alpha1"}]}
    answers["/apis/keda.sh/v1alpha1"] = {"resources": []}


def _other_version(answers: Answers) -> None:
    answers["/apis/keda.sh"] = {"versions": [{"version": "v2"}]}
    del answers["/apis/keda.sh/v1alpha1"]


def _node(**changes: Any) -> Callable[[Answers], None]:
    def take(answers: Answers) -> None:
        found = answers["/api/v1/nodes"]["items"][0]
        for path, value in changes.items():
            part, key = path.split("__")
            place = found["metadata"]["labels"] if part == "labels" else found[part]
            place[key.replace("_", "/")] = value

    return take


def _label(key: str, value: str) -> Callable[[Answers], None]:
    return lambda answers: answers["/api/v1/nodes"]["items"][0]["metadata"]["labels"].update(
        {key: value}
    )


def _quota(answers: Answers) -> None:
    hard = {"requests.nvidia.com/gpu": "4", "pods": "100"}
    quota = {"metadata": {"name": "team"}, "status": {"hard": hard, "used": {}}}
    answers[f"{_NS}/resourcequotas"] = {"items": [quota]}


def _limits(answers: Answers) -> None:
    rule = {"type": "PersistentVolumeClaim", "max": {"storage": "10Gi"}}
    limit = {"metadata": {"name": "small"}, "spec": {"limits": [rule]}}
    answers[f"{_NS}/limitranges"] = {"items": [limit]}


def _read_only(body: Any) -> dict[str, Any]:
    attributes = body["spec"].get("resourceAttributes", {})
    is_read = attributes.get("verb") in {"get", "watch"}
    return {"status": {"allowed": is_read or attributes.get("resource") != "scaledobjects"}}


def _refuse(answers: Answers) -> None:
    message = 'admission webhook "gate" denied the request: image not signed'
    answers["PATCH"] = (403, {"reason": "Forbidden", "message": message})


def _class(provisioner: str) -> Callable[[Answers], object]:
    return _put(
        "/apis/storage.k8s.io/v1/storageclasses/efs",
        {"metadata": {"name": "efs"}, "provisioner": provisioner},
    )


def _selects_release(answers: Answers) -> None:
    found = copy.deepcopy(answers["/apis/monitoring.coreos.com/v1/prometheuses"])
    found["items"][0]["spec"]["podMonitorSelector"] = {"matchLabels": {"release": "k8s"}}
    answers["/apis/monitoring.coreos.com/v1/prometheuses"] = found


_GPU = "helm install gpu-operator"
_ONLY_LATER = {"gpu-driver", "image-pull", "network-policies"}
"""Checks that are unknown until a node runs, or without --probe."""
_KEDA_FIX = "keda-2.20.2.yaml"

CASES = {
    "KEDA": Case(
        _without("/apis/keda.sh/v1alpha1"), "definitions", "missing definition", _KEDA_FIX
    ),
    "KEDA 2.16": Case(
        _older_keda,
        "definitions",
        "lacks spec.fallback.behavior; needed: KEDA 2.17 or newer",
        _KEDA_FIX,
    ),
    "half of KEDA": Case(_half, "definitions", "keda.sh is partly installed", _KEDA_FIX),
    "another version": Case(_other_version, "definitions", "serves keda.sh in v2", _KEDA_FIX),
    "a definition that goes": Case(_without(_KEDA), "definitions", "missing definition", _KEDA_FIX),
    "KEDA's metrics": Case(
        _without("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io"),
        "scaler",
        "v1beta1.external.metrics.k8s.io is missing",
        _KEDA_FIX,
    ),
    "metrics-server": Case(
        _without("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"),
        "metrics-server",
        "metrics-server's API v1beta1.metrics.k8s.io is missing",
        "metrics-server/releases/download/v0.8.1/components.yaml",
        stack="hybrid",
    ),
    "metrics-server that does not answer": Case(
        _put(
            "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io",
            {"status": {"conditions": [{"type": "Available", "status": "False"}]}},
        ),
        "metrics-server",
        "v1beta1.metrics.k8s.io is not available",
        "kubectl get pods -A | grep -i metrics-server",
        stack="hybrid",
    ),
    "a definition that is not established": Case(
        lambda answers: answers[_KEDA].update(status={"conditions": None}),
        "definitions",
        "scaledobjects.keda.sh is not established",
        _KEDA_FIX,
    ),
    "namespace of others": Case(
        _without("/api/v1/namespaces/monitoring"),
        "namespaces",
        "missing namespace monitoring, which the stack does not create",
        "kubectl create namespace monitoring",
    ),
    "own namespace": Case(
        _without(_NS), "namespaces", "does not exist yet", "kubectl create namespace llm"
    ),
    "a namespace that goes": Case(
        _put(_NS, {"metadata": {"name": "llm", "deletionTimestamp": "2026-11-30T00:00:00Z"}}),
        "namespaces",
        "is being deleted",
        "kubectl wait --for=delete namespace/llm",
    ),
    "a namespace with others": Case(
        _put(
            "/apis/apps/v1/namespaces/llm/deployments",
            {"items": [{"metadata": {"name": "shop", "labels": {}}}]},
        ),
        "namespaces",
        "contains other Deployments (shop)",
        "set network.namespace",
        Status.WARNING,
    ),
    "PodSecurity": Case(
        _put(_NS, {"metadata": {"name": "llm"}}),
        "pod-security",
        "level none; the stack will set restricted",
        "--dry-run=server",
        Status.WARNING,
    ),
    "a Secret": Case(
        _without(f"{_NS}/secrets/hub-token"),
        "secrets",
        "Secret llm/hub-token is missing",
        "create secret generic hub-token --from-literal=token=VALUE",
    ),
    "a certificate": Case(
        _without(f"{_NS}/secrets/model-certificate"),
        "secrets",
        "Secret llm/model-certificate is missing",
        "create secret tls model-certificate --cert=FILE --key=FILE",
    ),
    "a key": Case(
        _put(f"{_NS}/secrets/hub-token", {"data": {"tokn": "eA=="}}),
        "secrets",
        "Secret llm/hub-token lacks token",
        'patch secret hub-token --patch \'{"stringData": {"token": "VALUE"}}\'',
    ),
    "the right to read Secrets": Case(
        _put(
            f"{_NS}/secrets/hub-token",
            (403, {"reason": "Forbidden", "message": 'secrets is forbidden: User "x" cannot get'}),
        ),
        "secrets",
        "cannot read Secret",
        "needs permission to get secrets",
        Status.UNKNOWN,
    ),
    "quota": Case(
        _quota, "quotas", "requests.nvidia.com/gpu: 4 allowed, 9 needed", "edit resourcequota team"
    ),
    "limit range": Case(
        _limits, "quotas", "only allows claims from 0 to 10Gi", "kubectl -n llm edit"
    ),
    "admission": Case(_refuse, "admission", "image not signed", "fix what the message names"),
    "rights": Case(
        _put("POST", _read_only),
        "rights",
        "missing permission to create, patch, delete scaledobjects.keda.sh in namespace llm",
        "--verb=create,patch,delete --resource=scaledobjects.keda.sh",
    ),
    "storage class": Case(
        _without("/apis/storage.k8s.io/v1/storageclasses/efs"),
        "storage-class",
        "storage class efs is missing",
        "create the storage class efs",
    ),
    "access mode": Case(
        _class("ebs.csi.aws.com"),
        "storage-class",
        "does not support access mode ReadWriteMany",
        "set weights.storageClass to file storage",
    ),
    "CSI driver": Case(
        _without("/apis/storage.k8s.io/v1/csidrivers/efs.csi.aws.com"),
        "storage-class",
        "driver efs.csi.aws.com is not installed",
        "install the CSI driver",
    ),
    "smallest volume": Case(
        lambda _: None, "storage-class", "at least 100 GiB", "100 GiB", Status.WARNING, "gke"
    ),
    "filled claim": Case(
        lambda _: None,
        "claims",
        "claim llm/llama-3.3-70b-instruct is missing",
        "docs/weights.md",
        stack="air-gapped",
    ),
    "device plugin": Case(
        _put("/apis/apps/v1/daemonsets", {"items": []}),
        "device-plugin",
        "no device plugin DaemonSet",
        _GPU,
        Status.WARNING,
    ),
    "GPU nodes": Case(
        _put("/api/v1/nodes", {"items": []}),
        "gpu-nodes",
        "0 of 1 have the labels",
        "kubectl label node NODE",
        stack="on-prem",
    ),
    "a node that is ready": Case(
        _node(status__conditions=[]), "gpu-nodes", "not ready: gpu-0", "describe", stack="on-prem"
    ),
    "a node that is open": Case(
        _node(spec__unschedulable=True),
        "gpu-nodes",
        "cordoned: gpu-0",
        "kubectl uncordon gpu-0",
        stack="on-prem",
    ),
    "toleration": Case(
        _node(spec__taints=[{"key": "dedicated", "value": "ml", "effect": "NoSchedule"}]),
        "taints",
        "taint dedicated of gpu-0 is not tolerated",
        "add dedicated to pool.nodeTaints",
        stack="on-prem",
    ),
    "allocatable GPUs": Case(
        _node(status__allocatable={}),
        "device-plugin",
        "fewer than 8 nvidia.com/gpu on gpu-0 (0)",
        _GPU,
        stack="on-prem",
    ),
    "whole GPUs": Case(
        _label("nvidia.com/mig.config", "all-1g.10gb"),
        "mig",
        "MIG is enabled on gpu-0",
        "nvidia.com/mig.config=all-disabled",
        Status.WARNING,
        "on-prem",
    ),
    "Prometheus": Case(
        _without(_PROMETHEUS),
        "prometheus",
        "Prometheus at http://prometheus-operated.monitoring.svc:9090",
        "kube-prometheus-stack",
    ),
    "something else than Prometheus": Case(
        _put(_PROMETHEUS, "<html>Grafana</html>"),
        "prometheus",
        "the server there is not Prometheus",
        "monitoring.prometheusAddress",
    ),
    "targets": Case(
        _put(_PROMETHEUS, {"status": "success", "data": {"activeTargets": []}}),
        "prometheus",
        "scrapes no targets",
        "prometheus-selection",
        Status.WARNING,
    ),
    "selection": Case(
        _selects_release,
        "prometheus-selection",
        "monitoring/k8s does not select PodMonitor/model",
        "patch prometheus k8s --type merge",
    ),
    "DCGM exporter": Case(
        _put("/apis/apps/v1/daemonsets", {"items": []}),
        "dcgm-exporter",
        "no DaemonSet of NVIDIA's DCGM exporter",
        _GPU,
        Status.WARNING,
    ),
    "Grafana": Case(
        _put("/api/v1/namespaces/monitoring/pods", {"items": []}),
        "dashboards",
        "no pod with Grafana's dashboard sidecar",
        "kube-prometheus-stack",
        Status.WARNING,
    ),
    "the right to list nodes": Case(
        _put(
            "/api/v1/nodes",
            (403, {"reason": "Forbidden", "message": 'nodes is forbidden: User "x" cannot list'}),
        ),
        "gpu-nodes",
        "nodes is forbidden",
        "as a user with read permission",
        Status.UNKNOWN,
    ),
}


@pytest.mark.parametrize("stack", ["aws-prod", "on-prem"])
def test_a_cluster_that_lacks_nothing_passes_every_check(tmp_path: Path, stack: str) -> None:
    asked = ask(tmp_path, needs_of(stack))
    wrong = {
        (check, finding.found)
        for check, findings in asked.findings.items()
        for finding in findings
        if finding.status is not Status.PASSED and check not in _ONLY_LATER
    }
    assert wrong == set()
    assert {method for method, _, _ in asked.recorded.calls} == {"GET", "PATCH", "POST"}
    for method, target, body in asked.recorded.calls:
        assert method != "PATCH" or "dryRun=All" in target
        assert method != "POST" or body["kind"] == "SelfSubjectAccessReview"


@pytest.mark.parametrize("name", CASES)
def test_what_is_missing_is_found_with_its_fix_and_no_secret_is_told(
    tmp_path: Path, name: str
) -> None:
    case = CASES[name]
    asked = ask(tmp_path, needs_of(case.stack), case.take, case.check)
    told = [each for each in asked.findings[case.check] if each.status is case.status]
    assert any(case.found in each.found and case.fix in each.fix for each in told), told
    said = json.dumps([vars_of(each) for found in asked.findings.values() for each in found])
    assert SECRET not in said
    assert TOKEN not in said
    assert "dmFsdWUtdGhhdC1ub2JvZHk" not in said  # the same in base64


def vars_of(finding: Any) -> tuple[str, str]:
    return finding.found, finding.fix


def test_an_old_driver_is_found_where_the_engines_image_needs_a_new_one(tmp_path: Path) -> None:
    image = f"docker.io/vllm/vllm-openai:v0.30.0@sha256:{'a' * 64}"
    needs = needs_of("on-prem", ("engine.image", image))
    label = "nvidia.com/cuda.driver-version.major"
    old = ask(tmp_path, needs, _label(label, "570"), "gpu-driver").findings["gpu-driver"]
    assert [each.status for each in old] == [Status.FAILED]
    assert "older than 580" in old[0].found
    assert "-cu129" in old[0].fix
    assert [
        each.status for each in ask(tmp_path, needs, only="gpu-driver").findings["gpu-driver"]
    ] == [Status.PASSED]
    silent = ask(
        tmp_path,
        needs,
        lambda answers: answers["/api/v1/nodes"]["items"][0]["metadata"]["labels"].pop(label),
        "gpu-driver",
    )
    assert [each.status for each in silent.findings["gpu-driver"]] == [Status.UNKNOWN]


def test_image_volumes_ask_for_a_kubernetes_and_a_container_runtime_that_mount_them(
    tmp_path: Path,
) -> None:
    image = f"registry.example/models/llama@sha256:{'b' * 64}"
    needs = needs_of("on-prem", ("weights.image", image), ("weights.hubTokenSecret", None))
    assert needs.volume_images == (image,)

    def statuses(check: str, change: Callable[[Answers], object]) -> list[Status]:
        return [each.status for each in ask(tmp_path, needs, change, check).findings[check]]

    def runtime(name: str) -> Callable[[Answers], object]:
        return _node(status__nodeInfo={"containerRuntimeVersion": name})

    for version, status in (
        ("v1.35.4", Status.PASSED),
        ("v1.34.1-eks-7", Status.WARNING),
        ("v1.32.0", Status.FAILED),
    ):
        assert statuses("api-server", _put("/version", {"gitVersion": version})) == [status]
    for name, status in (
        ("containerd://2.1.0", Status.PASSED),
        ("containerd://2.0.5", Status.FAILED),
        ("containerd://1.7.27", Status.FAILED),
        ("cri-o://1.34.1", Status.PASSED),
        ("cri-o://1.30.0", Status.FAILED),
    ):
        assert statuses("container-runtime", runtime(name)) == [status], name
    assert "container-runtime" not in ask(tmp_path, needs_of("on-prem")).findings


def test_forbidden_everywhere_is_unknown_and_never_a_traceback(tmp_path: Path) -> None:
    refusal = (403, {"reason": "Forbidden", "message": 'all is forbidden: User "x" cannot get'})
    needs = needs_of("aws-prod")
    with probing(Recorded(dict.fromkeys(whole(needs), refusal)), needs, tmp_path) as probe:
        results = tuple(run_checks(probe))
    statuses = {finding.status for each in results for finding in each.findings}
    assert Status.UNKNOWN in statuses
    assert all(each.findings for each in results)


def test_an_api_server_that_goes_in_the_middle_keeps_what_was_found(tmp_path: Path) -> None:
    needs = needs_of("aws-prod")
    recorded = Recorded(whole(needs), dies_after=6)
    results: list[Result] = []
    with (
        probing(recorded, needs, tmp_path) as probe,
        pytest.raises(UnreachableError, match="closed the connection"),
    ):
        results.extend(run_checks(probe))
    assert len(recorded.calls) == 6


def test_every_install_command_names_its_pinned_version_and_its_source() -> None:
    for add_on in add_ons():
        assert "{" not in add_on.command
        assert add_on.version in add_on.command
        assert add_on.source
        assert add_on.as_of >= "2026-11"
