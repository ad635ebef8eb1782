"""Each thing that a stack needs, removed from a real API server, is found by preflight.

The cluster is the rig: etcd, API server, controller manager, KEDA and Prometheus are the real ones.
DaemonSets of the device plugin, the DCGM exporter and Grafana's sidecar are objects by these names
whose containers never run; a node's labels stand in for its driver and for MIG.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from breakeven.cluster.connection import Cluster, connect
from breakeven.cluster.preflight.check import Probe
from breakeven.cluster.preflight.finding import Finding, Status
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.preflight.registry import CHECKS
from breakeven.cluster.preflight.run import run_checks
from breakeven.cluster.prometheus import Prometheus
from breakeven.manifests.render import render
from breakeven.planning.offline import read_stack
from rig.api import Api
from rig.cluster import Rig
from rig.nodes import put_node
from tests.cluster.deploying import wait_for
from tests.cluster.kubelet import no_image
from tests.project_copy import Project

SECRET = "value-that-nobody-may-see"
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_NS = "/api/v1/namespaces/llm"
_KEDA = "keda-2.20.2.yaml"
_OPERATOR = "helm install gpu-operator"
_NEW_ENGINE = f"docker.io/vllm/vllm-openai:v0.30.0@sha256:{'a' * 64}"
_SERVER_OWN = ("resourceVersion", "uid", "creationTimestamp", "managedFields", "generation")


def apply(api: Api, cluster: Cluster, manifest: Mapping[str, Any]) -> str:
    """Makes an object and returns its path."""
    path = cluster.path_of(manifest)
    query = "fieldManager=test&force=true"
    api.call("PATCH", f"{path}?{query}", manifest, kind="application/apply-patch+yaml")
    return path


@contextmanager
def removed(api: Api, path: str) -> Iterator[None]:
    """Deletes an object, and makes it again at the end."""
    found = api.get(path)
    api.delete(path)
    wait_for(f"{path} is gone", lambda: api.find(path) is None)
    try:
        yield
    finally:
        for key in _SERVER_OWN:
            found["metadata"].pop(key, None)
        status = found.pop("status", None)
        api.call("POST", path.rpartition("/")[0], found)
        if found["kind"] == "Node":
            api.merge(f"{path}/status", {"status": status})
        if path.startswith(_CRDS):
            wait_for(f"{path} is established", lambda: _is_established(api, path))


def _is_established(api: Api, path: str) -> bool:
    conditions = api.get(path).get("status", {}).get("conditions") or ()
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)


@contextmanager
def changed(
    api: Api, path: str, change: Mapping[str, Any], back: Mapping[str, Any]
) -> Iterator[None]:
    """Changes fields of an object, and changes them back at the end."""
    api.merge(path, change)
    try:
        yield
    finally:
        api.merge(path, back)


@contextmanager
def added(api: Api, cluster: Cluster, manifest: Mapping[str, Any]) -> Iterator[None]:
    """Makes an object, and deletes it at the end."""
    path = apply(api, cluster, manifest)
    try:
        yield
    finally:
        api.delete(path)


def _daemon_set(name: str, image: str) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "nodeSelector": {"nowhere": "true"},
                    "containers": [{"name": "main", "image": image}],
                },
            },
        },
    }


def _secret(name: str, *keys: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": "llm"},
        "stringData": dict.fromkeys(keys, SECRET),
    }


def _namespace(**labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "llm", "labels": labels},
    }


def _sidecar() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "grafana", "namespace": "monitoring"},
        "spec": {
            "nodeSelector": {"nowhere": "true"},
            "containers": [{"name": "sidecar", "image": "quay.io/kiwigrid/k8s-sidecar:2.1.2"}],
        },
    }


def _prometheus() -> dict[str, Any]:
    selectors: dict[str, Any] = {
        f"{kind}{what}": {}
        for kind in ("podMonitor", "rule")
        for what in ("Selector", "NamespaceSelector")
    }
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": "k8s", "namespace": "monitoring"},
        "spec": selectors,
    }


_DEVICE_PLUGIN = _daemon_set("device-plugin", "nvcr.io/nvidia/k8s-device-plugin:v0.18.0")
_DCGM = _daemon_set("dcgm-exporter", "nvcr.io/nvidia/k8s/dcgm-exporter:4.5.0")
_ENFORCE = "pod-security.kubernetes.io/enforce"


@dataclass(frozen=True)
class Ready:
    """A cluster that has what aws-prod and on-prem need."""

    rig: Rig
    api: Api
    cluster: Cluster

    def ask(
        self, stack: str, only: str | None, settings: Mapping[str, object], **options: Any
    ) -> dict[str, list[Finding]]:
        """Runs checks and returns what they said, by check."""
        known = read_stack(stack, settings)
        needs = Needs(stack, known, render(known))
        # A command's own connection: kinds are looked up once for each.
        cluster = options.pop("cluster", None) or connect(self.rig.kubeconfig)
        probe = Probe(
            needs=needs,
            clusters=dict.fromkeys(needs.contexts, cluster),
            prometheus=Prometheus.at(options.pop("prometheus", self.rig.prometheus)),
            **options,
        )
        checks = [each for each in CHECKS if only in (None, each.id)]
        return {each.check: list(each.findings) for each in run_checks(probe, checks)}


@pytest.fixture(scope="module")
def ready(rig: Rig) -> Iterator[Ready]:
    """The rig with all that the stacks need, and without it again at the end."""
    api, cluster = rig.api, connect(rig.kubeconfig)
    made = [
        apply(api, cluster, manifest)
        for manifest in (
            _namespace(**{_ENFORCE: "restricted"}),
            _secret("vllm-api-key", "api-key"),
            _secret("hub-token", "token"),
            _secret("model-certificate", "tls.crt", "tls.key"),
            _DEVICE_PLUGIN,
            _DCGM,
            _prometheus(),
            _sidecar(),
        )
    ]
    yield Ready(rig, api, cluster)
    for path in reversed(made):
        api.delete(path)
    wait_for("namespace llm is gone", lambda: api.find(_NS) is None)


@dataclass(frozen=True)
class Case:
    """Something that is removed.

    Attributes:
        remove: Removes it while the context lasts.
        check: The check that must notice.
        found: A part of what it must say.
        fix: A part of the fix.
        status: How the check must end.
        stack: Which stack is checked, and
        settings: with which settings changed.
        was_there: False for what the rig does not have to begin with.
    """

    remove: Callable[[Ready], AbstractContextManager[Any]]
    check: str
    found: str
    fix: str
    status: Status = Status.FAILED
    stack: str = "aws-prod"
    settings: Mapping[str, object] = field(default_factory=dict)
    was_there: bool = True


def _gone(path: str) -> Callable[[Ready], AbstractContextManager[Any]]:
    return lambda ready: removed(ready.api, path)


def _more(manifest: Mapping[str, Any]) -> Callable[[Ready], AbstractContextManager[Any]]:
    return lambda ready: added(ready.api, ready.cluster, manifest)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _older_keda(ready: Ready) -> Iterator[None]:
    """KEDA as before 2.17: its definition has no fallback.behavior."""
    path = f"{_CRDS}/scaledobjects.keda.sh"
    versions = ready.api.get(path)["spec"]["versions"]
    older = json.loads(json.dumps(versions))
    spec = older[0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    del spec["fallback"]["properties"]["behavior"]
    with changed(ready.api, path, {"spec": {"versions": older}}, {"spec": {"versions": versions}}):
        yield


@contextmanager
def _no_prometheus(ready: Ready) -> Iterator[None]:
    ready.rig.stop_part("prometheus")
    try:
        yield
    finally:
        ready.rig.start_part("prometheus")


def _node(name: str, change: Mapping[str, Any]) -> Callable[[Ready], AbstractContextManager[Any]]:
    """Changes a node of on-prem; its labels, taints and resources are put back."""

    @contextmanager
    def change_it(ready: Ready) -> Iterator[None]:
        path = f"/api/v1/nodes/{name}"
        before = ready.api.get(path)
        ready.api.merge(path, change)
        if "status" in change:
            ready.api.merge(f"{path}/status", change)
        try:
            yield
        finally:
            labels = dict.fromkeys(change.get("metadata", {}).get("labels", {}))
            labels = {key: before["metadata"]["labels"].get(key) for key in labels}
            spec = {key: before["spec"].get(key) for key in change.get("spec", {})}
            ready.api.merge(path, {"metadata": {"labels": labels}, "spec": spec})
            ready.api.merge(f"{path}/status", {"status": before["status"]})

    return change_it


def _policy() -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": "signed-images"},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {
                    "resourceRules": [
                        {
                            "apiGroups": ["apps"],
                            "apiVersions": ["v1"],
                            "operations": ["CREATE", "UPDATE"],
                            "resources": ["deployments"],
                        }
                    ]
                },
                "validations": [{"expression": "false", "message": "the image is not signed"}],
            },
        },
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "signed-images"},
            "spec": {"policyName": "signed-images", "validationActions": ["Deny"]},
        },
    ]


@contextmanager
def _admission(ready: Ready) -> Iterator[None]:
    policy, binding = _policy()
    with added(ready.api, ready.cluster, policy), added(ready.api, ready.cluster, binding):
        known = read_stack("aws-prod")
        [deployment] = [each for each in render(known) if each.kind == "Deployment"]

        def refused() -> bool:
            try:
                ready.cluster.dry_run(deployment.manifest)
            except Exception as error:  # noqa: BLE001  # whatever it is, it refuses
                return "not signed" in str(error)
            return False

        wait_for("the policy is in force", refused)
        yield


_QUOTA = {
    "apiVersion": "v1",
    "kind": "ResourceQuota",
    "metadata": {"name": "team", "namespace": "llm"},
    "spec": {"hard": {"requests.nvidia.com/gpu": "4"}},
}
_LIMITS = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "small", "namespace": "llm"},
    "spec": {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "10Gi"}}]},
}
_SHOP = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shop", "namespace": "llm"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "shop"}},
        "template": {
            "metadata": {"labels": {"app": "shop"}},
            "spec": {"containers": [{"name": "shop", "image": "shop:1"}]},
        },
    },
}
_BLOCK_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "block"},
    "provisioner": "ebs.csi.aws.com",
}
_FILE_CLASS = {**_BLOCK_CLASS, "metadata": {"name": "files"}, "provisioner": "efs.csi.aws.com"}

CASES = {
    "PodMonitor's definition": Case(
        _gone(f"{_CRDS}/podmonitors.monitoring.coreos.com"),
        "definitions",
        "monitoring.coreos.com is partly installed: missing definition of PodMonitor",
        "kube-prometheus-stack",
    ),
    "LeaderWorkerSet's definition": Case(
        _gone(f"{_CRDS}/leaderworkersets.leaderworkerset.x-k8s.io"),
        "definitions",
        "missing definition of LeaderWorkerSet (leaderworkerset.x-k8s.io/v1)",
        "lws/releases/download/v0.8.0/manifests.yaml",
        stack="owned-h100",
    ),
    "KEDA 2.17": Case(
        _older_keda,
        "definitions",
        "lacks spec.fallback.behavior; needed: KEDA 2.17 or newer",
        _KEDA,
    ),
    "KEDA's metrics": Case(
        _gone("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io"),
        "scaler",
        "v1beta1.external.metrics.k8s.io is missing",
        _KEDA,
    ),
    "metrics-server": Case(
        lambda _: _nothing(),
        "metrics-server",
        "v1beta1.metrics.k8s.io is missing",
        "metrics-server/releases/download/v0.8.1/components.yaml",
        stack="hybrid",
        was_there=False,
    ),
    "namespace monitoring": Case(
        lambda _: _nothing(),
        "namespaces",
        "missing namespace watching, which the stack does not create",
        "kubectl create namespace watching",
        settings={"monitoring.namespace": "watching"},
    ),
    "own namespace": Case(
        lambda _: _nothing(),
        "namespaces",
        "namespace chat does not exist yet",
        "kubectl create namespace chat",
        settings={"network.namespace": "chat"},
    ),
    "a separate namespace": Case(
        _more(_SHOP),
        "namespaces",
        "contains other Deployments (shop)",
        "set network.namespace",
        Status.WARNING,
    ),
    "PodSecurity level": Case(
        lambda ready: changed(
            ready.api,
            _NS,
            {"metadata": {"labels": {_ENFORCE: None}}},
            {"metadata": {"labels": {_ENFORCE: "restricted"}}},
        ),
        "pod-security",
        "level none; the stack will set restricted",
        "--dry-run=server",
        Status.WARNING,
    ),
    "Secret": Case(
        _gone(f"{_NS}/secrets/hub-token"),
        "secrets",
        "Secret llm/hub-token is missing",
        "kubectl -n llm create secret generic hub-token --from-literal=token=VALUE",
    ),
    "a key of a Secret": Case(
        lambda ready: changed(
            ready.api,
            f"{_NS}/secrets/model-certificate",
            {"data": {"tls.key": None}},
            {"stringData": {"tls.key": SECRET}},
        ),
        "secrets",
        "Secret llm/model-certificate lacks tls.key",
        "kubectl -n llm patch secret model-certificate",
    ),
    "room in the quota": Case(
        _more(_QUOTA),
        "quotas",
        "requests.nvidia.com/gpu: 4 allowed, 9 needed at the peak",
        "kubectl -n llm edit resourcequota team",
    ),
    "room in the limit range": Case(
        _more(_LIMITS), "quotas", "only allows claims from 0 to 10Gi", "kubectl -n llm edit"
    ),
    "admission": Case(
        _admission, "admission", "the image is not signed", "fix what the message names"
    ),
    "storage class": Case(
        _gone("/apis/storage.k8s.io/v1/storageclasses/efs"),
        "storage-class",
        "storage class efs is missing",
        "set weights.storageClass to one of",
    ),
    "access mode": Case(
        _more(_BLOCK_CLASS),
        "storage-class",
        "(ebs.csi.aws.com) does not support access mode ReadWriteMany",
        "set weights.storageClass to file storage",
        settings={"weights.storageClass": "block"},
    ),
    "CSI driver": Case(
        _more(_FILE_CLASS),
        "storage-class",
        "driver efs.csi.aws.com is not installed",
        "install the CSI driver efs.csi.aws.com",
        settings={"weights.storageClass": "files"},
    ),
    "filled claim": Case(
        lambda _: _nothing(),
        "claims",
        "claim llm/llama-3.3-70b-instruct is missing",
        "docs/weights.md",
        stack="air-gapped",
    ),
    "GPU nodes": Case(
        _gone("/api/v1/nodes/on-prem-0"),
        "gpu-nodes",
        "have the labels",
        "kubectl label node NODE",
        stack="on-prem",
        settings={"pool.nodeLabels": {"only": "on-prem"}},
    ),
    "open node": Case(
        _node("on-prem-0", {"spec": {"unschedulable": True}}),
        "gpu-nodes",
        "cordoned: on-prem-0",
        "kubectl uncordon on-prem-0",
        stack="on-prem",
    ),
    "toleration": Case(
        _node("on-prem-0", {"spec": {"taints": [{"key": "ml", "effect": "NoSchedule"}]}}),
        "taints",
        "taint ml of on-prem-0 is not tolerated",
        "add ml to pool.nodeTaints",
        stack="on-prem",
    ),
    "GPUs of a node": Case(
        _node("on-prem-0", {"status": {"allocatable": {"nvidia.com/gpu": None}}}),
        "device-plugin",
        "fewer than 8 nvidia.com/gpu on on-prem-0 (0)",
        _OPERATOR,
        stack="on-prem",
    ),
    "whole GPUs": Case(
        _node("on-prem-0", {"metadata": {"labels": {"nvidia.com/mig.config": "all-1g.10gb"}}}),
        "mig",
        "MIG is enabled on on-prem-0",
        "nvidia.com/mig.config=all-disabled",
        Status.WARNING,
        "on-prem",
    ),
    "NVIDIA driver": Case(
        _node(
            "on-prem-0",
            {"metadata": {"labels": {"nvidia.com/cuda.driver-version.major": "570"}}},
        ),
        "gpu-driver",
        "NVIDIA driver older than 580",
        "-cu129",
        stack="on-prem",
        settings={"engine.image": _NEW_ENGINE},
    ),
    "device plugin": Case(
        _gone("/apis/apps/v1/namespaces/kube-system/daemonsets/device-plugin"),
        "device-plugin",
        "no device plugin DaemonSet",
        _OPERATOR,
        Status.WARNING,
    ),
    "DCGM exporter": Case(
        _gone("/apis/apps/v1/namespaces/kube-system/daemonsets/dcgm-exporter"),
        "dcgm-exporter",
        "no DaemonSet of NVIDIA's DCGM exporter",
        _OPERATOR,
        Status.WARNING,
    ),
    "Grafana's sidecar": Case(
        _gone("/api/v1/namespaces/monitoring/pods/grafana"),
        "dashboards",
        "no pod with Grafana's dashboard sidecar",
        "kube-prometheus-stack",
        Status.WARNING,
    ),
    "Prometheus": Case(
        _no_prometheus, "prometheus", "connection refused", "monitoring.prometheusAddress"
    ),
    "selection of PodMonitors": Case(
        lambda ready: changed(
            ready.api,
            "/apis/monitoring.coreos.com/v1/namespaces/monitoring/prometheuses/k8s",
            {"spec": {"podMonitorSelector": {"matchLabels": {"release": "k8s"}}}},
            {"spec": {"podMonitorSelector": {"matchLabels": None}}},
        ),
        "prometheus-selection",
        "monitoring/k8s does not select PodMonitor/model",
        "patch prometheus k8s --type merge",
    ),
}


@pytest.mark.parametrize("stack", ["aws-prod", "on-prem"])
def test_a_cluster_that_has_everything_is_ready_and_nothing_is_changed(
    ready: Ready, stack: str
) -> None:
    before = ready.api.get("/api/v1/namespaces")["metadata"]["resourceVersion"]
    found = ready.ask(stack, None, {})
    wrong = [
        (check, finding)
        for check, findings in found.items()
        for finding in findings
        if finding.status is Status.FAILED
    ]
    assert wrong == []
    assert int(before) > 0
    assert ready.api.find("/apis/apps/v1/namespaces/llm/deployments/model") is None


@pytest.mark.parametrize("name", CASES)
def test_what_is_removed_is_found_with_its_fix_and_no_secret_is_told(
    ready: Ready, name: str
) -> None:
    case = CASES[name]
    good = ready.ask(case.stack, case.check, {})
    with case.remove(ready):
        bad = ready.ask(case.stack, case.check, case.settings)
    told = [each for each in bad[case.check] if each.status is case.status]
    assert any(case.found in each.found and case.fix in each.fix for each in told), bad
    if case.was_there and not case.settings and case.stack != "air-gapped":
        assert not [each for each in good[case.check] if case.found in each.found]
    assert SECRET not in json.dumps([(each.found, each.fix) for each in bad[case.check]])


def test_missing_rights_are_found_by_asking_the_api_server(ready: Ready, tmp_path: Path) -> None:
    api, cluster = ready.api, ready.cluster
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "reader", "namespace": "default"},
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "default"}],
    }
    with added(api, cluster, account), added(api, cluster, binding):
        path = "/api/v1/namespaces/default/serviceaccounts/reader/token"
        token = api.call("POST", path, {"spec": {}})["status"]["token"]
        config = yaml.safe_load(ready.rig.kubeconfig.read_text(encoding="utf-8"))
        config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
        file = tmp_path / "reader"
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        reader = connect(file)
        found = ready.ask("aws-prod", None, {}, cluster=reader)
    rights = [each.found for each in found["rights"] if each.status is Status.FAILED]
    assert any(
        "missing permission to create, patch, delete deployments.apps in namespace llm" in each
        for each in rights
    )
    assert any(
        "missing permission to create, get, watch, patch, delete nodepools" in each
        for each in rights
    )
    assert [each.status for each in found["secrets"]] == [Status.UNKNOWN] * 3
    assert [each.status for each in found["gpu-nodes"]] == [Status.UNKNOWN]
    assert token not in str(found)


def test_an_image_that_no_node_finds_is_found_with_probe_and_its_pods_are_gone(
    ready: Ready,
) -> None:
    image = read_stack("aws-prod").models[0].engine.image
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": "cpu-0",
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux"},
        },
        "spec": {},
        "status": {"allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"}},
    }
    put_node(ready.api, node)
    try:
        with no_image(ready.api, image):
            bad = ready.ask("aws-prod", "image-pull", {}, may_probe=True, seconds=20.0)
    finally:
        ready.api.delete("/api/v1/nodes/cpu-0")
    assert [each.status for each in bad["image-pull"]] == [Status.FAILED]
    assert "not found" in bad["image-pull"][0].found
    left = ready.api.get(f"{_NS}/pods?labelSelector=app.kubernetes.io/part-of=breakeven-preflight")
    alive = [each for each in left["items"] if "deletionTimestamp" not in each["metadata"]]
    assert alive == []


def test_a_preview_reminds_of_preflight_until_it_was_run(
    rig: Rig, project: Project, tmp_path: Path
) -> None:
    environment = {**project.environment, "XDG_STATE_HOME": str(tmp_path / "state")}
    here = replace(project, environment=environment)
    reminder = "needs: breakeven preflight dev"
    assert reminder in here.preview("dev").stdout
    address = connect(rig.kubeconfig).address
    script = f"from breakeven.preflight_hint import remember; remember('dev', {address!r})"
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)
    assert reminder not in here.pulumi("preview", "--stack", "dev").stdout
