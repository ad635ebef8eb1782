"""What the node is made of besides the cluster's programs: those that run containers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bootstrap import cluster, programs
from bootstrap.cluster import kubernetes
from bootstrap.console import Console, SetupError
from bootstrap.golang import Program
from bootstrap.layout import Layout

_COREDNS = "github.com/coredns/coredns"
_KUBE_ROUTER = "github.com/cloudnativelabs/kube-router/v2"
_CONTAINERD = "github.com/containerd/containerd/v2"


def _containerd(name: str, minutes: int) -> Program:
    return Program(
        name=name,
        package=f"{_CONTAINERD}/cmd/{name}",
        minutes=minutes,
        # Preflight reads the version from the node.
        version_variable=f"{_CONTAINERD}/version.Version",
        module=_CONTAINERD,
        folder="containerd",
        static=True,
    )


PROGRAMS = (
    kubernetes("kubelet", 4),
    kubernetes("kube-proxy", 1),
    Program(name="coredns", package=".", minutes=3, module=_COREDNS, static=True),
    Program(
        name="kube-router",
        package=f"{_KUBE_ROUTER}/cmd/kube-router",
        minutes=2,
        module=_KUBE_ROUTER,
    ),
    Program(name="device-plugin", package=".", minutes=1, module="k8s.io/kubelet"),
    Program(name="pause", package=".", minutes=1, static=True),
    _containerd("containerd", 3),
    _containerd("containerd-shim-runc-v2", 1),
    _containerd("ctr", 1),
)
"""In the order in which they are built."""

FOR_NODE = programs.Use(
    "for the node on this machine", "leave the node out: previews and the cluster need none"
)


def steps() -> Mapping[str, str]:
    """The steps of a setup of the node, by key, as they are named in progress lines."""
    return {program.name: program.name for program in PROGRAMS}


def ensure(layout: Layout, console: Console, labels: Mapping[str, str]) -> None:
    """Build what is missing, one step at a time."""
    programs.ensure(layout, console, PROGRAMS, labels, FOR_NODE)


def find(layout: Layout) -> tuple[dict[str, Path], Path]:
    """Find what a setup has made.

    Returns:
        The programs by name, those of the cluster among them, and the folder of definitions.

    Raises:
        SetupError: Something is missing.
    """
    of_cluster, definitions = cluster.find(layout, cluster.FOR_CONTAINERS)
    found = {program.name: programs.find_built(layout, program) for program in PROGRAMS}
    if missing := [name for name, folder in found.items() if folder is None]:
        raise SetupError(
            what="the parts of the node are not all built",
            found=f"missing: {', '.join(missing)}",
            fix=["python3 tools/bootstrap setup --node"],
        )
    own = {name: folder / name for name, folder in found.items() if folder}
    return {**of_cluster, **own}, definitions
