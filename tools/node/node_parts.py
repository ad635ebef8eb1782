"""The processes of one node: what runs containers, connects them, and enforces network rules."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from node.places import DNS, FIRST, GPUS, POD_NETWORK, Spot, entrance
from rig.control_plane import SERVICE_NETWORK, healthy
from rig.part import Part
from rig.running import MakePart
from rig.settings import Plan
from rig.templates import fill

_FILES = Path(__file__).parent / "files"
_ASK = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)"


def of_node(spot: Spot) -> Mapping[str, MakePart]:
    """The parts of a node by name, in the order of their start."""
    makers = {
        "containerd": containerd,
        "kubelet": kubelet,
        "kube-proxy": kube_proxy,
        "device-plugin": device_plugin,
        "kube-router": kube_router,
    }
    return {f"{name}{spot.ending}": partial(make, spot) for name, make in makers.items()}


def containerd(spot: Spot, plan: Plan) -> Part:
    """What runs containers."""
    config = _configured(plan, spot, "containerd.toml")
    _configured(plan, spot, "node.conflist", "cni/node.conflist")
    asked = [str(plan.programs["ctr"]), "version"]
    return _part(
        plan,
        spot,
        name="containerd",
        command=[str(plan.programs["containerd"]), f"--config={config}", "--log-level=warn"],
        ready=lambda: _succeeds([*entrance(plan.folder.root, spot), *asked]),
    )


def kubelet(spot: Spot, plan: Plan) -> Part:
    """The kubelet."""
    (_own(plan, spot) / "resolv.conf").write_text(f"nameserver {DNS}\n", encoding="utf-8")
    config = _configured(plan, spot, "kubelet.yaml")
    labels = f"nvidia.com/gpu.present=true,topology.kubernetes.io/zone={spot.zone}"
    return _part(
        plan,
        spot,
        name="kubelet",
        command=[
            str(plan.programs["kubelet"]),
            f"--config={config}",
            f"--kubeconfig={plan.folder.root / f'kubelet{spot.ending}.kubeconfig'}",
            f"--hostname-override={spot.name}",
            f"--node-ip={spot.address}",
            f"--node-labels={labels}",
        ],
        ready=_healthy(plan, spot, 10248),
        ports=[10250],
    )


def kube_proxy(spot: Spot, plan: Plan) -> Part:
    """What makes the addresses of services lead to pods."""
    config = _configured(plan, spot, "kube-proxy.yaml")
    return _part(
        plan,
        spot,
        name="kube-proxy",
        command=[str(plan.programs["kube-proxy"]), f"--config={config}"],
        ready=_healthy(plan, spot, 10256),
        ports=[10256],
    )


def kube_router(spot: Spot, plan: Plan) -> Part:
    """What enforces network rules."""
    return _part(
        plan,
        spot,
        name="kube-router",
        command=[
            str(plan.programs["kube-router"]),
            *("--run-firewall=true", "--run-router=false", "--run-service-proxy=false"),
            f"--kubeconfig={plan.folder.kubeconfig}",
            f"--hostname-override={spot.name}",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
        ],
        environment={"NODE_NAME": spot.name},
        ready=_healthy(plan, spot, 20244),
        ports=[20244],
    )


def device_plugin(spot: Spot, plan: Plan) -> Part:
    """What tells the kubelet of GPUs that are not there."""
    log = plan.folder.log(f"device-plugin{spot.ending}")
    return _part(
        plan,
        spot,
        name="device-plugin",
        command=[str(plan.programs["device-plugin"]), str(GPUS)],
        ready=lambda: log.is_file() and "of nvidia.com/gpu" in log.read_text(encoding="utf-8"),
    )


def _part(  # noqa: PLR0913  # a part, and whose it is
    plan: Plan,
    spot: Spot,
    *,
    name: str,
    command: Sequence[str],
    ready: Callable[[], bool],
    ports: Sequence[int] = (),
    environment: Mapping[str, str] | None = None,
) -> Part:
    return Part(
        name=f"{name}{spot.ending}",
        command=[*entrance(plan.folder.root, spot), *command],
        ready=ready,
        environment=environment or {},
        # Another node's ports are of its own network.
        ports=ports if spot == FIRST else (),
    )


def _healthy(plan: Plan, spot: Spot, port: int) -> Callable[[], bool]:
    address = f"http://127.0.0.1:{port}/healthz"
    if spot == FIRST:
        return healthy(address)
    command = [*entrance(plan.folder.root, spot), sys.executable, "-c", _ASK, address]
    return lambda: _succeeds(command)


def _own(plan: Plan, spot: Spot) -> Path:
    folder = plan.folder.root / spot.name
    folder.mkdir(exist_ok=True)
    return folder


def _configured(plan: Plan, spot: Spot, name: str, target: str = "") -> Path:
    own = _own(plan, spot)
    file = own / (target or name)
    file.parent.mkdir(exist_ok=True)
    text = fill(
        _FILES / name,
        folder=str(plan.folder.root),
        own=str(own),
        certificates=str(plan.folder.certificates),
        address=spot.address,
        name=spot.name,
        ending=spot.ending,
        cgroup=spot.cgroup,
        dns=DNS,
        pod_network=spot.pod_network,
        pod_networks=POD_NETWORK,
        shim=str(plan.programs["containerd-shim-runc-v2"]),
    )
    file.write_text(text, encoding="utf-8")
    return file


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
