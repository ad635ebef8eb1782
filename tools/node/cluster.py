"""A cluster with nodes: its parts in the order of their start, in the first node's namespaces."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from bootstrap.console import SetupError
from node import parts
from node.node_parts import of_node
from node.places import (
    ADDRESS,
    CPUS,
    FIRST,
    GPUS,
    MEMORY,
    SECOND,
    Places,
    Spot,
    entrance,
    holder_file,
)
from node.store import Store
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
_GROUPS_DEFINED = "leaderworkerset"
_AGAIN = "make node-stop node"
_READY_WITHIN_SECONDS = 90.0
_PRIORITY = "-10"  # as niceness is counted
_DNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"

_BEFORE_IMAGES: Mapping[str, MakePart] = {
    "etcd": control_plane.etcd,
    "kube-apiserver": parts.api_server,
}
_TOGETHER: Mapping[str, MakePart] = {
    "kube-controller-manager": parts.controller_manager,
    "kube-scheduler": control_plane.scheduler,
    "outside": parts.outside,
    "stand-ins": parts.stand_ins,
    "prometheus": parts.prometheus,
    "keda-operator": autoscalers.keda_operator,
    "keda-adapter": autoscalers.keda_adapter,
}
# It gives up where its node is not known yet.
_ENFORCER = "kube-router"
_RUNTIME = "containerd"

PARTS: Mapping[str, MakePart] = {**_BEFORE_IMAGES, **of_node(FIRST), **_TOGETHER}
"""Every part of a cluster of one node."""


@dataclass
class Node(Running):
    """A cluster whose node runs containers, or whose two nodes do.

    Attributes:
        places: Where its files are.
        spots: Its nodes.
    """

    places: Places = field(kw_only=True)
    spots: tuple[Spot, ...] = field(kw_only=True)

    parts: ClassVar[Mapping[str, MakePart]] = PARTS
    again: ClassVar[str] = _AGAIN
    defined: ClassVar[tuple[str, ...]] = _DEFINED
    manifests: ClassVar[tuple[str, ...]] = ("keda",)

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
        made = SECOND if holder_file(places.root, SECOND).is_file() else None
        kind = TwoNodes if made else cls
        plan = Plan.choose(folder, programs, tuning or Tuning(), ADDRESS)
        node = kind(plan, say, places=places, spots=(FIRST, made) if made else (FIRST,))
        node.start_parts(definitions_folder, before_pods)
        return node

    def start_parts(self, definitions_folder: Path, before_pods: Callable[[Node], None]) -> None:
        """Start every part; arguments as of `start`."""
        self._make_certificates()
        runtimes = self._of_each(_RUNTIME)
        for name in (*_BEFORE_IMAGES, *runtimes):
            self.start_part(name)
        for store in self.stores:
            store.forget_containers()
        before_pods(self)
        self._apply_objects(definitions_folder)
        enforcers = self._of_each(_ENFORCER)
        apart = (*_BEFORE_IMAGES, *runtimes, *enforcers)
        self.start_together([name for name in self.parts if name not in apart])
        self._await_nodes()
        self.start_together(enforcers)
        root = self.places.root
        (root / "address").write_text(self.plan.api_server, encoding="utf-8")
        (root / "prometheus-address").write_text(self.plan.prometheus, encoding="utf-8")

    @property
    def stores(self) -> list[Store]:
        """What the containerd of each node keeps."""
        ctr = self.plan.programs["ctr"]
        return [
            Store(self.places.kept(spot), ctr, entrance(self.places.root, spot))
            for spot in self.spots
        ]

    def _of_each(self, part: str) -> list[str]:
        return [f"{part}{spot.ending}" for spot in self.spots]

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
        kubelets = self._of_each("kubelet")
        for spot, kubelet in zip(self.spots, kubelets, strict=True):
            hosts = [spot.name, spot.address]
            user = f"system:node:{spot.name}"
            authority.issue(kubelet, user, group="system:nodes", hosts=hosts)
        authority.issue("kube-proxy", "system:kube-proxy")
        for user in ("admin", *kubelets, "kube-proxy"):
            file = self.folder.root / f"{user}.kubeconfig"
            kubeconfig.write(file, self.plan.api_server, folder, user=user)
        (self.folder.root / "admin.kubeconfig").rename(self.kubeconfig)

    def _apply_objects(self, definitions_folder: Path) -> None:
        defined = definitions.apply_all(self.api, definitions_folder, self.defined)
        for manifest in (
            *(one for name in self.manifests for one in templates.render(self.plan, name)),
            *templates.render(self.plan, folder=_OBJECTS),
        ):
            self.api.apply(manifest)
        self.say(f"{defined} resources defined")

    def _await_nodes(self) -> None:
        """Give nodes the size that stacks ask for, and wait until they and the names work."""
        began = time.monotonic()
        size = {"cpu": CPUS, "memory": MEMORY, "nvidia.com/gpu": str(GPUS)}
        for spot in self.spots:
            node = f"/api/v1/nodes/{spot.name}"
            self._await_condition(spot.name, node, "Ready")
            self.api.merge(f"{node}/status", {"status": {"capacity": size, "allocatable": size}})
        self._await_condition("its DNS", _DNS, "Available")
        names = " and ".join(spot.name for spot in self.spots)
        self.say(f"{names}, and DNS: ready after {time.monotonic() - began:.1f} s")

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


class TwoNodes(Node):
    """The same with a second node, and the controller of replicas that span both."""

    parts: ClassVar[Mapping[str, MakePart]] = {
        **_BEFORE_IMAGES,
        **of_node(FIRST),
        **of_node(SECOND),
        **_TOGETHER,
        "lws": autoscalers.leader_worker_sets,
    }
    defined: ClassVar[tuple[str, ...]] = (*_DEFINED, _GROUPS_DEFINED)
    manifests: ClassVar[tuple[str, ...]] = ("keda", "leader-worker-sets")


def _holds(api: Api, path: str, kind: str) -> bool:
    found = api.find(path) or {}
    conditions: list[dict[str, Any]] = found.get("status", {}).get("conditions", [])
    return any(each["type"] == kind and each["status"] == "True" for each in conditions)
