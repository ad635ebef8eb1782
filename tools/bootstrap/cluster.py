"""What the rig is made of: programs built from pinned modules, and definitions of resources.

Definitions lie as YAML in the Go modules of those who serve them. They are copied from there, so
that none is written here, and each is of the version that a module folder pins with its checksum.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap import golang, programs
from bootstrap.console import Console, SetupError
from bootstrap.golang import Patch, Program
from bootstrap.layout import Layout, digest, exclusive

_KUBERNETES = "k8s.io/kubernetes"
_KEDA = "github.com/kedacore/keda/v2"
_KARPENTER = "sigs.k8s.io/karpenter"
_KWOK = "sigs.k8s.io/kwok"
_LWS = "sigs.k8s.io/lws"
# The version that the API server tells its clients, who decide by it what it can do.
_KUBERNETES_VERSION = "k8s.io/component-base/version.gitVersion"


# Both listen on all interfaces and have no setting for it.
_KARPENTER_ON_LOOPBACK = tuple(
    Patch(
        _KARPENTER,
        "pkg/operator/operator.go",
        f'":%d", options.FromContext(ctx).{port}',
        f'"127.0.0.1:%d", options.FromContext(ctx).{port}',
    )
    for port in ("MetricsPort", "HealthProbePort")
)
_ADAPTER_ON_LOOPBACK = (
    Patch(
        _KEDA,
        "cmd/adapter/main.go",
        '":%v", metricsAPIServerPort',
        '"127.0.0.1:%v", metricsAPIServerPort',
    ),
)


def kubernetes(name: str, minutes: int) -> Program:
    """One of the programs that Kubernetes itself consists of."""
    return Program(
        name=name,
        package=f"{_KUBERNETES}/cmd/{name}",
        minutes=minutes,
        version_variable=_KUBERNETES_VERSION,
        module=_KUBERNETES,
        folder="kubernetes",
    )


def _keda(part: str, minutes: int, patches: tuple[Patch, ...] = ()) -> Program:
    return Program(
        name=f"keda-{part}",
        package=f"{_KEDA}/cmd/{part}",
        minutes=minutes,
        module=_KEDA,
        folder="keda",
        patches=patches,
    )


PROGRAMS = (
    Program(
        name="etcd",
        package="go.etcd.io/etcd/server/v3",
        minutes=1,
        module="go.etcd.io/etcd/server/v3",
    ),
    kubernetes("kube-apiserver", 4),
    kubernetes("kube-controller-manager", 2),
    kubernetes("kube-scheduler", 1),
    Program(name="kwok", package=f"{_KWOK}/cmd/kwok", minutes=2, module=_KWOK),
    Program(
        name="karpenter",
        package=".",
        minutes=3,
        module=_KARPENTER,
        patches=_KARPENTER_ON_LOOPBACK,
    ),
    _keda("operator", 6),
    _keda("adapter", 1, _ADAPTER_ON_LOOPBACK),
    Program(name="lws", package=f"{_LWS}/cmd", minutes=2, module=_LWS),
)
"""In the order in which they are built. Prometheus, a part too, is built for the tests anyway."""

_SIMULATION = frozenset(("kwok", "karpenter"))
FOR_CONTAINERS = tuple(program for program in PROGRAMS if program.name not in _SIMULATION)
"""Those that nodes with containers need, too: they simulate no machines."""


@dataclass(frozen=True)
class Definitions:
    """Files of a Go module that are applied to the cluster.

    Attributes:
        module: The Go module.
        patterns: Which of its files, relative to the module.
        folder: The folder under tools/ whose go.mod pins it.
    """

    module: str
    patterns: tuple[str, ...]
    folder: str


DEFINITIONS = (
    Definitions(_KARPENTER, ("pkg/apis/crds/*.yaml",), "karpenter"),
    Definitions(
        "github.com/aws/karpenter-provider-aws",
        ("pkg/apis/crds/karpenter.k8s.aws_ec2nodeclasses.yaml",),
        "definitions",
    ),
    Definitions(
        "github.com/Azure/karpenter-provider-azure",
        ("pkg/apis/crds/karpenter.azure.com_aksnodeclasses.yaml",),
        "definitions",
    ),
    Definitions(_KEDA, ("config/crd/bases/*.yaml",), "keda"),
    Definitions(
        "github.com/prometheus-operator/prometheus-operator",
        ("example/prometheus-operator-crd/*.yaml",),
        "definitions",
    ),
    Definitions(
        _KWOK,
        (
            "kustomize/crd/bases/kwok.x-k8s.io_stages.yaml",
            "kustomize/stage/pod/fast/pod-*.yaml",
            "kustomize/stage/node/fast/node-initialize.yaml",
            "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
        ),
        "kwok",
    ),
    Definitions(_LWS, ("config/crd/bases/*.yaml",), "lws"),
    Definitions(
        "sigs.k8s.io/cluster-api",
        ("core/config/crd/bases/cluster.x-k8s.io_machinedeployments.yaml",),
        "definitions",
    ),
)
"""Definitions of every custom resource that the rig knows; a further kind is a further entry."""

FOR_RIG = programs.Use(
    "for the cluster on this machine", "leave the cluster out: previews need none"
)
DEFINITIONS_STEP = "resource definitions"


def steps(wanted: Sequence[Program] = PROGRAMS) -> Mapping[str, str]:
    """The steps of a setup of a cluster, by key, as they are named in progress lines."""
    return {**{program.name: program.name for program in wanted}, "definitions": DEFINITIONS_STEP}


def ensure(
    layout: Layout,
    console: Console,
    labels: Mapping[str, str],
    wanted: Sequence[Program] = PROGRAMS,
) -> None:
    """Build and copy what is missing, one step at a time."""
    programs.ensure(layout, console, wanted, labels, FOR_RIG)
    folder = _definitions_folder(layout)
    if folder.is_dir():
        console.line(f"{labels['definitions']}: up to date in {folder}")
        return
    with (
        exclusive(layout, console),
        console.step(labels["definitions"], "copying them from their Go modules"),
    ):
        _copy_definitions(layout, folder)


def find(layout: Layout, wanted: Sequence[Program] = PROGRAMS) -> tuple[dict[str, Path], Path]:
    """Find what a setup has made.

    Args:
        layout: The folders of the checkout.
        wanted: Which programs; Prometheus comes in addition.

    Returns:
        The programs by name, and the folder of definitions.

    Raises:
        SetupError: Something is missing.
    """
    parts = (*wanted, programs.PROMETHEUS)
    found = {program.name: programs.find_built(layout, program) for program in parts}
    definitions = _definitions_folder(layout)
    missing = [name for name, folder in found.items() if folder is None]
    missing += [] if definitions.is_dir() else [DEFINITIONS_STEP]
    if missing:
        raise SetupError(
            what="the parts of the cluster are not all built",
            found=f"missing: {', '.join(missing)}",
            fix=["python3 tools/bootstrap setup --rig"],
        )
    return {name: folder / name for name, folder in found.items() if folder}, definitions


def _definitions_folder(layout: Layout) -> Path:
    pins = [layout.root / "tools" / each.folder / "go.sum" for each in DEFINITIONS]
    key = digest(pins, repr(DEFINITIONS))[:12]
    return layout.cache / "programs" / f"definitions-{key}"


def _copy_definitions(layout: Layout, folder: Path) -> None:
    beside = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    for each in DEFINITIONS:
        source = _module_folder(layout, each, beside / "src")
        target = beside / "yaml" / each.module.replace("/", "-")
        target.mkdir(parents=True)
        for pattern in each.patterns:
            files = sorted(source.glob(pattern))
            if not files:
                raise SetupError(
                    what=f"module {each.module} has no file {pattern}",
                    found=f"pinned by tools/{each.folder}/go.mod",
                    fix=["correct DEFINITIONS in tools/bootstrap/cluster.py"],
                )
            for file in files:
                shutil.copyfile(file, target / file.name)
    shutil.rmtree(folder, ignore_errors=True)
    (beside / "yaml").rename(folder)
    shutil.rmtree(beside)


def _module_folder(layout: Layout, definitions: Definitions, bench_folder: Path) -> Path:
    carrier = Program(name=definitions.folder, package=definitions.module, minutes=1)
    go = golang.require(layout, [carrier], purpose=DEFINITIONS_STEP)
    bench = golang.Workbench(layout, bench_folder, go)
    bench.sources(carrier)
    return bench.module_folder(carrier, definitions.module)
