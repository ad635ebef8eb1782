"""Recorded answers of a cluster that has all that a stack needs, to take things from."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from breakeven.cluster.connection import connect
from breakeven.cluster.preflight.check import Probe
from breakeven.cluster.preflight.checks.definitions import is_custom
from breakeven.cluster.preflight.finding import Finding
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.preflight.registry import CHECKS
from breakeven.cluster.preflight.run import run_checks
from breakeven.cluster.prometheus import Prometheus
from breakeven.manifests.render import render
from breakeven.planning.offline import read_stack
from tests.crd_schemas import schema_of
from tests.unit.cluster.recorded import Recorded, serving, write_kubeconfig

SECRET = "value-that-nobody-may-see"  # of a stand-in
CLUSTER_WIDE = {"Namespace", "NodePool", "EC2NodeClass", "AKSNodeClass", "ComputeClass"}
_PLURALS = {"EC2NodeClass": "ec2nodeclasses", "NetworkPolicy": "networkpolicies"}
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def plural(kind: str) -> str:
    return _PLURALS.get(kind, f"{kind.lower()}s")


def root(version: str) -> str:
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


@cache
def needs_of(stack: str, *changed: tuple[str, object]) -> Needs:
    known = read_stack(stack, dict(changed))
    return Needs(stack, known, render(known))


def node(name: str, labels: dict[str, str], gpus: int, **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]},
        "status": {
            "allocatable": {"nvidia.com/gpu": str(gpus)},
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {"containerRuntimeVersion": "containerd://2.1.4"},
            **status,
        },
    }


def whole(needs: Needs) -> dict[str, Any]:
    """Returns the answers of a cluster that lacks nothing."""
    answers: dict[str, Any] = {
        "/version": {"gitVersion": "v1.35.4"},
        "PATCH": {},
        "POST": {"status": {"allowed": True}},
        "DELETE": {},
        "/api/v1/nodes": {"items": []},
        "/apis/storage.k8s.io/v1/storageclasses": {"items": []},
        "/apis/apps/v1/daemonsets": {
            "items": [daemon_set("nvcr.io/nvidia/k8s-device-plugin"), daemon_set("dcgm-exporter")]
        },
        **{
            f"/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.{group}.k8s.io": {
                "status": {"conditions": [{"type": "Available", "status": "True"}]}
            }
            for group in ("external.metrics", "metrics")
        },
        "/apis/monitoring.coreos.com/v1/prometheuses": {
            "items": [
                {
                    "metadata": {"name": "k8s", "namespace": "monitoring"},
                    "spec": {
                        f"{kind}{selector}": {}
                        for kind in ("podMonitor", "rule", "serviceMonitor")
                        for selector in ("Selector", "NamespaceSelector")
                    },
                }
            ]
        },
        "/api/v1/namespaces/monitoring": {"metadata": {"name": "monitoring"}},
        "/api/v1/namespaces/monitoring/pods": {
            "items": [{"spec": {"containers": [{"image": "quay.io/kiwigrid/k8s-sidecar:2"}]}}]
        },
        "/api/v1/namespaces/monitoring/services/prometheus-operated:9090/proxy/api/v1/targets": {
            "status": "success",
            "data": {"activeTargets": [{"labels": {"namespace": "monitoring"}, "health": "up"}]},
        },
        "/api/v1/namespaces/llm": {
            "metadata": {
                "name": "llm",
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            }
        },
        "/apis/apps/v1/namespaces/llm/deployments": {"items": []},
        "/apis/batch/v1/namespaces/llm/jobs": {"items": []},
        "/api/v1/namespaces/llm/resourcequotas": {"items": []},
        "/api/v1/namespaces/llm/limitranges": {"items": []},
    }
    for resource in needs.resources:
        version, kind = str(resource.manifest["apiVersion"]), resource.kind
        known = answers.setdefault(root(version), {"resources": []})["resources"]
        entry = {"name": plural(kind), "kind": kind, "namespaced": kind not in CLUSTER_WIDE}
        if entry not in known:
            known.append(entry)
        if is_custom(resource):
            answers[f"{_CRDS}/{plural(kind)}.{version.partition('/')[0]}"] = crd(version, kind)
    for claim in needs.claims:
        name = claim["spec"]["storageClassName"]
        answers[f"/apis/storage.k8s.io/v1/storageclasses/{name}"] = {
            "metadata": {"name": name},
            "provisioner": "efs.csi.aws.com",
        }
    answers["/apis/storage.k8s.io/v1/csidrivers/efs.csi.aws.com"] = {"metadata": {}}
    for need in needs.secrets:
        data = dict.fromkeys(need.keys or {"any"}, base64.b64encode(SECRET.encode()).decode())
        answers[f"/api/v1/namespaces/{need.namespace}/secrets/{need.name}"] = {"data": data}
    pool = needs.stack.pool
    if not pool.can_grow:
        labels = {**pool.node_labels, "nvidia.com/cuda.driver-version.major": "580"}
        answers["/api/v1/nodes"] = {
            "items": [node(f"gpu-{n}", labels, pool.gpus_per_node) for n in range(pool.node_count)]
        }
    return answers


def daemon_set(image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"image": image}]}}}}


def crd(version: str, kind: str) -> dict[str, Any]:
    schema = schema_of(version, kind)["schema"]
    return {
        "spec": {
            "versions": [{"name": version.partition("/")[2], "schema": {"openAPIV3Schema": schema}}]
        },
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }


@dataclass(frozen=True)
class Asked:
    """What a preflight said, and what it asked for."""

    findings: dict[str, list[Finding]]
    recorded: Recorded


@contextmanager
def probing(recorded: Recorded, needs: Needs, folder: Path, **options: Any) -> Iterator[Probe]:
    with serving(recorded) as address:
        cluster = connect(write_kubeconfig(folder / "config", address))
        prometheus = Prometheus.of_stack(cluster, needs.stack.monitoring.prometheus_address)
        clusters = dict.fromkeys(needs.contexts, cluster)
        yield Probe(needs=needs, clusters=clusters, prometheus=prometheus, **options)


def ask(
    folder: Path,
    needs: Needs,
    change: Callable[[dict[str, Any]], object] = lambda _: None,
    only: str | None = None,
    **options: Any,
) -> Asked:
    """Runs one check, or all, against a recorded cluster from which something was taken."""
    answers = whole(needs)
    change(answers)
    recorded = Recorded(answers)
    with probing(recorded, needs, folder, **options) as probe:
        results = tuple(run_checks(probe, [each for each in CHECKS if only in (None, each.id)]))
    return Asked({each.check: list(each.findings) for each in results}, recorded)
