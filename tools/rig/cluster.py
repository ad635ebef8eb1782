"""A rig as a whole: started, looked at, and ended; the interface that tests use."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import yaml

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
)
from rig.api import Api
from rig.folder import Folder
from rig.nodes import put_node
from rig.part import Part, Process, start, stop, tail, wait_until_ready
from rig.ports import LOOPBACK
from rig.settings import Plan, Tuning

MakePart = Callable[[Plan], Part]

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
_MANIFESTS = Path(__file__).parent / "manifests"


def _silent(_line: str) -> None:
    """Say nothing."""


@dataclass
class Rig:
    """A cluster on this machine.

    Attributes:
        plan: Folder, programs, clocks and ports.
        definitions: The folder of resource definitions.
        say: Takes progress lines.
    """

    plan: Plan
    definitions: Path
    say: Callable[[str], None] = _silent
    _processes: dict[str, Process] = field(default_factory=dict)

    @classmethod
    def start(
        cls,
        root: Path,
        programs: Mapping[str, Path],
        definitions_folder: Path,
        *,
        tuning: Tuning | None = None,
        say: Callable[[str], None] = _silent,
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
        rig = cls(Plan.choose(folder, programs, tuning or Tuning()), definitions_folder, say)
        try:
            rig._start_all()
        except BaseException:
            rig.stop()
            raise
        return rig

    @property
    def folder(self) -> Folder:
        """Where its files are."""
        return self.plan.folder

    @property
    def kubeconfig(self) -> Path:
        """The file for KUBECONFIG."""
        return self.folder.kubeconfig

    @property
    def prometheus(self) -> str:
        """The address of Prometheus, from this machine."""
        return self.plan.prometheus

    @property
    def api(self) -> Api:
        """The cluster's API, as its administrator."""
        return Api.connect(self.plan.api_server, self.folder.certificates)

    def process(self, name: str) -> Process:
        """The process of a part."""
        return self._processes[name]

    def start_part(self, name: str) -> None:
        """Start a part, again after `stop_part`, and wait until it is ready."""
        self._launch(name)
        self._await(name, time.monotonic())

    def stop_part(self, name: str) -> None:
        """End a part; a fault that others must survive."""
        stop([self._processes[name]])

    def stop(self) -> list[str]:
        """End all parts, last started first; files and logs stay.

        Returns:
            The names of those that were running.
        """
        return stop(list(reversed(self._processes.values())))

    def check(self) -> None:
        """Make sure that all parts run.

        Raises:
            SetupError: One does not; with the end of its log.
        """
        for process in self._processes.values():
            if process.running() is None:
                raise dead(self.folder, process)

    def _start_all(self) -> None:
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
        defined = definitions.apply_all(self.api, self.definitions)
        self._apply_objects()
        self.say(
            f"{defined} resources defined; {machines} machine types at the price book's prices"
        )
        # The others need each other only while they work, not while they start.
        began = time.monotonic()
        rest = [name for name in PARTS if name not in _FIRST]
        for name in rest:
            self._launch(name)
        for name in rest:
            self._await(name, began)

    def _launch(self, name: str) -> None:
        part = PARTS[name](self.plan)
        self._processes[name] = start(part, self.folder.log(name))
        self._record()

    def _await(self, name: str, began: float) -> None:
        part = PARTS[name](self.plan)
        wait_until_ready(part, self._processes[name], self.folder.log(name))
        where = ", ".join(f"{LOOPBACK}:{port}" for port in part.ports)
        position = f"[{list(PARTS).index(name) + 1}/{len(PARTS)}]"
        seconds = time.monotonic() - began
        self.say(f"{position} {name}: ready after {seconds:.1f} s{where and f' on {where}'}")

    def _record(self) -> None:
        beside = self.folder.processes.with_suffix(".new")
        processes = [each.record() for each in self._processes.values()]
        beside.write_text(json.dumps(processes, indent=1), encoding="utf-8")
        beside.replace(self.folder.processes)

    def _make_certificates(self) -> None:
        folder = self.folder.certificates
        authority = certificates.Authority(folder, "ca")
        hosts = ["localhost", LOOPBACK, control_plane.ADAPTER_HOST]
        authority.issue("tls", "localhost", hosts=hosts)
        authority.issue("admin", "rig-administrator", group="system:masters")
        certificates.write_signing_key(folder)
        proxies = certificates.Authority(folder / "front-proxy", "ca")
        proxies.issue("front-proxy", "front-proxy")

    def _apply_objects(self) -> None:
        for manifest in (*self._cluster_manifests(), *stack_needs.manifests()):
            if manifest["kind"] == "Node":
                put_node(self.api, manifest)
            else:
                self.api.apply(manifest)

    def _cluster_manifests(self) -> list[dict[str, Any]]:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_MANIFESTS),
            undefined=jinja2.StrictUndefined,
            autoescape=False,  # noqa: S701  # YAML, with every value written as JSON
        )
        ca_bundle = base64.b64encode((self.folder.certificates / "ca.crt").read_bytes()).decode()
        return [
            manifest
            for file in sorted(_MANIFESTS.glob("*.yaml"))
            for manifest in yaml.safe_load_all(
                environment.get_template(file.name).render(
                    adapter_port=self.plan.ports["adapter"],
                    webhooks=self.plan.address("lws-webhook", "https"),
                    ca_bundle=ca_bundle,
                )
            )
        ]


def read_processes(folder: Folder) -> list[Process]:
    """The processes of a rig that another run started, in the order of their start."""
    if not folder.processes.is_file():
        return []
    recorded = json.loads(folder.processes.read_text(encoding="utf-8"))
    return [Process(**each) for each in recorded]


def stop_recorded(root: Path) -> list[str]:
    """End the processes of a rig that another run started, and no others.

    Returns:
        The names of those that were running.
    """
    return stop(list(reversed(read_processes(Folder(root.absolute())))))


def dead(folder: Folder, process: Process) -> SetupError:
    """Return the error that says which part ended, and with what last words."""
    log = folder.log(process.name)
    return SetupError(
        what=f"{process.name} has ended",
        found=tail(log),
        fix=[f"read the whole log: {log}", "then start again: make rig-stop rig"],
    )
