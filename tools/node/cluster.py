"""A cluster of one node: its parts in the order of their start, inside its namespaces."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from bootstrap.console import SetupError
from node import parts
from node.places import ADDRESS, CPUS, GPUS, MEMORY, NAME, Places
from rig import (
    autoscalers,
    certificates,
    control_plane,
    definitions,
    kubeconfig,
    templates,
)
from rig.api import Api
from rig.control_plane import ADAPTER_HOST
from rig.folder import Folder
from rig.part import Part, tail
from rig.ports import LOOPBACK
from rig.running import MakePart, Running, silent
from rig.settings import Plan, Tuning

_OBJECTS = Path(__file__).parent / "objects"
# What a stack deploys, and what KEDA looks for; definitions are large, and each takes its time.
_DEFINED = ("keda.sh_", "_podmonitors", "_prometheusrules")
_AGAIN = "make node-stop node"
_READY_WITHIN_SECONDS = 90.0
_PRIORITY = "-10"  # as niceness is counted
_DNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"

PARTS: Mapping[str, MakePart] = {
    "etcd": control_plane.etcd,
    "kube-apiserver": parts.api_server,
    "containerd": parts.containerd,
    "kube-controller-manager": parts.controller_manager,
    "kube-scheduler": control_plane.scheduler,
    "kubelet": parts.kubelet,
    "kube-proxy": parts.kube_proxy,
    "device-plugin": parts.device_plugin,
    "outside": parts.outside,
    "stand-ins": parts.stand_ins,
    "prometheus": parts.prometheus,
    "keda-operator": autoscalers.keda_operator,
    "keda-adapter": autoscalers.keda_adapter,
    "kube-router": parts.kube_router,
}
"""Every part, in the order of their start."""

_FIRST = ("etcd", "kube-apiserver", "containerd")
# It gives up where its node is not known yet.
_ENFORCER = "kube-router"


@dataclass
class Node(Running):
    """A cluster whose one node runs containers."""

    parts: ClassVar[Mapping[str, MakePart]] = PARTS
    again: ClassVar[str] = _AGAIN

    @classmethod
    def start(  # noqa: PLR0913  # what a setup has made, and how to go on
        cls,
        places: Places,
        programs: Mapping[str, Path],
        definitions_folder: Path,
        *,
        before_pods: Callable[[Node], None],
        tuning: Tuning | None = None,
        say: Callable[[str], None] = silent,
    ) -> Node:
        """Start it; whoever made the namespaces ends them where this fails.

        Args:
            places: Where its files are.
            programs: Programs by name, and
            definitions_folder: resource definitions, both as `bootstrap.node.find` returns them.
            before_pods: Called once containerd runs, and before the kubelet does.
            tuning: Clocks; the defaults if None.
            say: Takes a progress line for each part.

        Raises:
            SetupError: A part failed.
        """
        folder = Folder(places.root)
        for each in (folder.logs, folder.targets, folder.root / "data", places.volumes):
            each.mkdir(parents=True, exist_ok=True)
        node = cls(Plan.choose(folder, programs, tuning or Tuning(), ADDRESS), say)
        node._make_certificates()
        for name in _FIRST:
            node.start_part(name)
        _forget_containers()
        before_pods(node)
        node._apply_objects(definitions_folder)
        apart = (*_FIRST, _ENFORCER)
        node.start_together([name for name in PARTS if name not in apart])
        node._await_node()
        node.start_part(_ENFORCER)
        (places.root / "address").write_text(node.plan.api_server, encoding="utf-8")
        (places.root / "prometheus-address").write_text(node.plan.prometheus, encoding="utf-8")
        return node

    def _launch(self, name: str) -> Part:
        """Start a part, before other work of a busy machine.

        A control plane that has to wait ends its connections.
        """
        part = super()._launch(name)
        # Sessions share the processors; a kernel without such shares has no file.
        with suppress(OSError):
            session = Path("/proc") / str(self.process(name).pid) / "autogroup"
            session.write_text(_PRIORITY, encoding="utf-8")
        return part

    def _make_certificates(self) -> None:
        folder = self.folder.certificates
        hosts = ["localhost", LOOPBACK, ADDRESS, ADAPTER_HOST]
        hosts += ["10.96.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
        authority = certificates.write_all(folder, hosts)
        authority.issue(
            "kubelet", f"system:node:{NAME}", group="system:nodes", hosts=[NAME, ADDRESS]
        )
        authority.issue("kube-proxy", "system:kube-proxy")
        for user in ("admin", "kubelet", "kube-proxy"):
            file = self.folder.root / f"{user}.kubeconfig"
            kubeconfig.write(file, self.plan.api_server, folder, user=user)
        (self.folder.root / "admin.kubeconfig").rename(self.kubeconfig)

    def _apply_objects(self, definitions_folder: Path) -> None:
        defined = definitions.apply_all(self.api, definitions_folder, _DEFINED)
        for manifest in (
            *templates.render(self.plan, "keda"),
            *templates.render(self.plan, folder=_OBJECTS),
        ):
            self.api.apply(manifest)
        self.say(f"{defined} resources defined")

    def _await_node(self) -> None:
        """Give the node the size that stacks ask for, and wait until it and the names work."""
        began = time.monotonic()
        node = f"/api/v1/nodes/{NAME}"
        self._await_condition(NAME, node, "Ready")
        size = {"cpu": CPUS, "memory": MEMORY, "nvidia.com/gpu": str(GPUS)}
        self.api.merge(f"{node}/status", {"status": {"capacity": size, "allocatable": size}})
        self._await_condition("its DNS", _DNS, "Available")
        self.say(f"{NAME} and its DNS: ready after {time.monotonic() - began:.1f} s")

    def _await_condition(self, what: str, path: str, kind: str) -> None:
        patience = time.monotonic() + _READY_WITHIN_SECONDS
        while not _holds(self.api, path, kind):
            if time.monotonic() > patience:
                raise SetupError(
                    what=f"{what} is not {kind} after {_READY_WITHIN_SECONDS:.0f} s",
                    found=tail(self.folder.log("kubelet")),
                    fix=[f"read the logs in {self.folder.logs}", f"then start again: {_AGAIN}"],
                )
            time.sleep(0.2)


def _holds(api: Api, path: str, kind: str) -> bool:
    found = api.find(path) or {}
    conditions: list[dict[str, Any]] = found.get("status", {}).get("conditions", [])
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)


def _forget_containers() -> None:
    """Delete what containerd remembers of containers of an earlier node; images stay."""
    ctr = ["ctr", "--namespace", parts.NAMESPACE]
    listing = [*ctr, "containers", "ls", "-q"]
    listed = subprocess.run(listing, capture_output=True, text=True, check=True)
    for container in listed.stdout.split():
        subprocess.run([*ctr, "containers", "rm", container], capture_output=True, check=False)
