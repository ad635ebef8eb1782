"""The processes of a node, besides those of every cluster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from node.places import ADDRESS, CGROUP, DNS, GPUS, NAME, OUTSIDE, POD_NETWORK
from rig import control_plane, observers
from rig.control_plane import SERVICE_NETWORK, healthy
from rig.part import Part
from rig.ports import is_taken
from rig.settings import Plan
from rig.templates import fill

_FILES = Path(__file__).parent / "files"
_TOOLS = Path(__file__).resolve().parents[1]
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
NAMESPACE = "k8s.io"
"""What the kubelet's containers and images belong to in containerd."""


def api_server(plan: Plan) -> Part:
    """The API server, at an address that pods reach."""
    certificates = plan.folder.certificates
    return control_plane.api_server(
        plan,
        [
            "--bind-address=0.0.0.0",
            f"--advertise-address={ADDRESS}",
            "--allow-privileged=true",
            "--enable-admission-plugins=NodeRestriction",
            f"--kubelet-client-certificate={certificates / 'admin.crt'}",
            f"--kubelet-client-key={certificates / 'admin.key'}",
            f"--kubelet-certificate-authority={certificates / 'ca.crt'}",
            "--kubelet-preferred-address-types=InternalIP",
        ],
    )


def controller_manager(plan: Plan) -> Part:
    """Kubernetes' controllers, each with rights of its own."""
    return control_plane.controller_manager(plan, ["--use-service-account-credentials=true"])


def containerd(plan: Plan) -> Part:
    """What runs containers."""
    config = _configured(plan, "containerd.toml")
    _configured(plan, "node.conflist", "cni/node.conflist")
    return Part(
        name="containerd",
        command=["containerd", f"--config={config}", "--log-level=warn"],
        ready=lambda: _succeeds(["ctr", "version"]),
    )


def kubelet(plan: Plan) -> Part:
    """The kubelet."""
    (plan.folder.root / "resolv.conf").write_text(f"nameserver {DNS}\n", encoding="utf-8")
    config = _configured(plan, "kubelet.yaml")
    return Part(
        name="kubelet",
        command=[
            str(plan.programs["kubelet"]),
            f"--config={config}",
            f"--kubeconfig={plan.folder.root / 'kubelet.kubeconfig'}",
            f"--hostname-override={NAME}",
            f"--node-ip={ADDRESS}",
            "--node-labels=nvidia.com/gpu.present=true,topology.kubernetes.io/zone=zone-a",
        ],
        ready=healthy("http://127.0.0.1:10248/healthz"),
        ports=[10250],
    )


def kube_proxy(plan: Plan) -> Part:
    """What makes the addresses of services lead to pods."""
    config = _configured(plan, "kube-proxy.yaml")
    return Part(
        name="kube-proxy",
        command=[str(plan.programs["kube-proxy"]), f"--config={config}"],
        ready=healthy("http://127.0.0.1:10256/healthz"),
        ports=[10256],
    )


def kube_router(plan: Plan) -> Part:
    """What enforces network rules."""
    return Part(
        name="kube-router",
        command=[
            str(plan.programs["kube-router"]),
            *("--run-firewall=true", "--run-router=false", "--run-service-proxy=false"),
            f"--kubeconfig={plan.folder.kubeconfig}",
            f"--hostname-override={NAME}",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
        ],
        environment={"NODE_NAME": NAME},
        ready=healthy("http://127.0.0.1:20244/healthz"),
        ports=[20244],
    )


def device_plugin(plan: Plan) -> Part:
    """What tells the kubelet of GPUs that are not there."""
    log = plan.folder.log("device-plugin")
    return Part(
        name="device-plugin",
        command=[str(plan.programs["device-plugin"]), str(GPUS)],
        ready=lambda: log.is_file() and "of nvidia.com/gpu" in log.read_text(encoding="utf-8"),
    )


def prometheus(plan: Plan) -> Part:
    """Prometheus, which scrapes the engines as the operator would let it."""
    labels = {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/component": "engine"}
    return observers.prometheus(plan, [observers.of_pods(plan, "model", labels)])


def outside(plan: Plan) -> Part:
    """Stands in for the internet: the hub of models, and an API."""
    return Part(
        name="outside",
        command=[sys.executable, "-m", "node.outside", OUTSIDE, str(plan.folder.root)],
        environment={"PYTHONPATH": str(_TOOLS), "PYTHONUNBUFFERED": "1"},
        ready=lambda: is_taken(443, OUTSIDE),
    )


def stand_ins(plan: Plan) -> Part:
    """Who brings volumes and secrets."""
    ready = plan.folder.part("stand-ins-ready")
    return Part(
        name="stand-ins",
        command=[
            *(sys.executable, "-m", "node.standins", plan.api_server),
            *(str(plan.folder.certificates), str(plan.folder.root / "volumes"), str(ready)),
        ],
        environment={
            "PYTHONPATH": f"{_TOOLS}:{_TOOLS.parent / 'components'}",
            "PYTHONUNBUFFERED": "1",
        },
        ready=ready.exists,
    )


def _configured(plan: Plan, name: str, target: str = "") -> Path:
    file = plan.folder.root / (target or name)
    file.parent.mkdir(exist_ok=True)
    text = fill(
        _FILES / name,
        folder=str(plan.folder.root),
        certificates=str(plan.folder.certificates),
        address=ADDRESS,
        name=NAME,
        cgroup=CGROUP,
        dns=DNS,
        pod_network=POD_NETWORK,
    )
    file.write_text(text, encoding="utf-8")
    return file


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
