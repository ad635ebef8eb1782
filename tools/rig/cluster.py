"""A rig as a whole: started, looked at, and ended; the interface that tests use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bootstrap.console import SetupError
from rig import (
    autoscalers,
    certificates,
    control_plane,
    definitions,
    instance_types,
    kubeconfig,
    observers,
    stack_needs,
    templates,
)
from rig.folder import Folder
from rig.nodes import put_node
from rig.part import stop
from rig.ports import LOOPBACK
from rig.running import MakePart, Running, read_processes, silent
from rig.settings import Plan, Tuning

PARTS: Mapping[str, MakePart] = {
    "etcd": control_plane.etcd,
    "kube-apiserver": control_plane.api_server,
    "prometheus": observers.prometheus,
    "kube-controller-manager": control_plane.controller_manager,
    "kube-scheduler": control_plane.scheduler,
    "kwok": autoscalers.kwok,
    "karpenter": autoscalers.karpenter,
    "keda-operator": autoscalers.keda_operator,
    "keda-adapter": autoscalers.keda_adapter,
    "lws": autoscalers.leader_worker_sets,
    "stand-ins": observers.stand_ins,
}
"""Every part, in the order of their start."""

_FIRST = ("etcd", "kube-apiserver")
AGAIN = "make rig-stop rig"
"""The command that ends a rig and starts it again."""


@dataclass
class Rig(Running):
    """A cluster on this machine."""

    parts: ClassVar[Mapping[str, MakePart]] = PARTS
    again: ClassVar[str] = AGAIN

    @classmethod
    def start(
        cls,
        root: Path,
        programs: Mapping[str, Path],
        definitions_folder: Path,
        *,
        tuning: Tuning | None = None,
        say: Callable[[str], None] = silent,
    ) -> Rig:
        """Start an empty cluster; when one part fails, all that were started are ended.

        Args:
            root: The rig's folder; what it held is deleted.
            programs: Programs by name, and
            definitions_folder: resource definitions, both as `bootstrap.cluster.find` returns them.
            tuning: Clocks; the defaults if None.
            say: Takes a progress line for each part.

        Raises:
            SetupError: A rig runs there already, or a part failed.
        """
        folder = Folder(root.absolute())
        if running := [each.name for each in read_processes(folder) if each.running()]:
            raise SetupError(
                what=f"a cluster runs already in {folder.root}",
                found=", ".join(running),
                fix=["use it", "end it first: make rig-stop"],
            )
        folder.renew()
        rig = cls(Plan.choose(folder, programs, tuning or Tuning()), say)
        try:
            rig._start_all(definitions_folder)
        except BaseException:
            rig.stop()
            raise
        return rig

    @property
    def prometheus(self) -> str:
        """The address of Prometheus, from this machine."""
        return self.plan.prometheus

    def _start_all(self, definitions_folder: Path) -> None:
        self._make_certificates()
        kubeconfig.write(
            self.kubeconfig,
            self.plan.api_server,
            self.folder.certificates,
            further=stack_needs.contexts(),
        )
        machines = instance_types.write(self.folder.part("instance-types.json"))
        for name in _FIRST:
            self.start_part(name)
        defined = definitions.apply_all(self.api, definitions_folder)
        self._apply_objects()
        self.say(
            f"{defined} resources defined; {machines} machine types at the price book's prices"
        )
        self.start_together([name for name in PARTS if name not in _FIRST])

    def _make_certificates(self) -> None:
        hosts = ["localhost", LOOPBACK, control_plane.ADAPTER_HOST]
        certificates.write_all(self.folder.certificates, hosts)

    def _apply_objects(self) -> None:
        for manifest in (*templates.render(self.plan), *stack_needs.manifests()):
            if manifest["kind"] == "Node":
                put_node(self.api, manifest)
            else:
                self.api.apply(manifest)


def stop_recorded(root: Path) -> list[str]:
    """End the processes of a rig that another run started, and no others.

    Returns:
        The names of those that were running.
    """
    return stop(list(reversed(read_processes(Folder(root.absolute())))))
