"""GPU nodes: how many, their labels, taints and GPUs, driver, device plugin and MIG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from breakeven.cluster.preflight.add_ons import GPU_OPERATOR, named
from breakeven.cluster.preflight.check import Check, Probe, always
from breakeven.cluster.preflight.finding import Finding, failed, passed, unknown, warning
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.quantities import quantity
from breakeven.manifests.serving.labels import ENGINE_LABELS
from breakeven.policy.manifest import Pod, at, listed, mapped

DRIVERS = (((0, 30), 580),)
"""From which vLLM its image needs which NVIDIA driver: CUDA 13 needs 580 (docs.nvidia.com, CUDA
compatibility; images of vLLM 0.30, seen 2026-11-29). Images with cu12 in their tag do not."""
_DRIVER_LABELS = ("nvidia.com/cuda.driver-version.major", "nvidia.com/cuda.driver.major")
_SHOWN = 3


def gpu_pods(needs: Needs) -> list[Pod]:
    """Returns the pods that ask for a GPU; where nodes have none, those that serve."""
    device = needs.stack.pool.gpu.device_resource
    if not device:
        return [pod for pod in needs.pods if ENGINE_LABELS.items() <= mapped(pod.labels).items()]
    return [
        pod
        for pod in needs.pods
        for container in pod.containers()
        if device in mapped(at(container.spec, "resources", "limits"))
    ]


def gpu_nodes(needs: Needs, nodes: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    """Returns the nodes whose labels the pods with a GPU select."""
    selectors = [mapped(pod.spec.get("nodeSelector")) for pod in gpu_pods(needs)]
    return [
        node
        for node in nodes
        if any(selector.items() <= _labels(node).items() for selector in selectors if selector)
    ]


def _labels(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapped(node["metadata"].get("labels"))


def _name(node: Mapping[str, Any]) -> str:
    return str(node["metadata"]["name"])


def _some(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _nodes(probe: Probe) -> Iterator[Finding]:
    pool, found = probe.needs.stack.pool, gpu_nodes(probe.needs, probe.nodes)
    if pool.can_grow:
        here = f"{len(found)} running" if found else "none now"
        yield passed(f"GPU nodes: {here}; pool {pool.kind.name} starts nodes as needed")
    elif len(found) < pool.node_count:
        labels = " ".join(f"{key}={value}" for key, value in pool.node_labels.items())
        yield failed(
            f"GPU nodes: {len(found)} of {pool.node_count} have the labels {labels}",
            f"kubectl label node NODE {labels}; or set pool.nodeLabels and pool.nodeCount",
        )
    else:
        yield passed(f"GPU nodes: {len(found)} with the labels of pool.nodeLabels")
    away = [_name(node) for node in found if not _is_ready(node)]
    if away:
        yield failed(f"not ready: {_some(away)}", f"kubectl describe node {away[0]}")
    closed = [_name(node) for node in found if at(node, "spec", "unschedulable")]
    if closed:
        yield failed(f"cordoned: {_some(closed)}", f"kubectl uncordon {' '.join(sorted(closed))}")


def _is_ready(node: Mapping[str, Any]) -> bool:
    conditions = listed(at(node, "status", "conditions"))
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _taints(probe: Probe) -> Iterator[Finding]:
    tolerations = [
        each for pod in gpu_pods(probe.needs) for each in listed(pod.spec.get("tolerations"))
    ]
    barred: dict[str, list[str]] = {}
    found = gpu_nodes(probe.needs, probe.nodes)
    for node in found:
        for taint in listed(at(node, "spec", "taints")):
            passing = str(taint["key"]).startswith("node.kubernetes.io/")
            if (
                taint["effect"] != "PreferNoSchedule"
                and not passing
                and not _tolerated(taint, tolerations)
            ):
                barred.setdefault(str(taint["key"]), []).append(_name(node))
    for key, names in sorted(barred.items()):
        yield failed(
            f"taint {key} of {_some(names)} is not tolerated by the stack's pods",
            f"add {key} to pool.nodeTaints",
        )
    if not barred:
        yield passed(f"the stack's pods tolerate the taints of {len(found)} GPU nodes")


def _tolerated(taint: Mapping[str, Any], tolerations: list[Mapping[str, Any]]) -> bool:
    return any(
        each.get("key") in (None, taint["key"])
        and each.get("effect") in (None, "", taint["effect"])
        and (each.get("operator") == "Exists" or each.get("value") == taint.get("value"))
        for each in tolerations
    )


def _gpus(probe: Probe) -> Iterator[Finding]:
    pool, found = probe.needs.stack.pool, gpu_nodes(probe.needs, probe.nodes)
    device = pool.gpu.device_resource
    offered = {
        _name(node): quantity(mapped(at(node, "status", "allocatable")).get(device, 0))
        for node in found
    }
    short = {name: count for name, count in offered.items() if count < pool.gpus_per_node}
    install = named(GPU_OPERATOR).command
    if short:
        few = [f"{name} ({count:f})" for name, count in short.items()]
        fix = install if not any(short.values()) else "set pool.gpusPerNode to what nodes offer"
        if pool.gpu.profile:
            fix = f"enable MIG with nvidia.com/mig.config=all-{pool.gpu.profile}; {install}"
        yield failed(
            f"fewer than {pool.gpus_per_node} {device} on {_some(few)}: missing device plugin, "
            "or other GPUs",
            fix,
        )
    elif found:
        yield passed(f"{len(found)} GPU nodes offer {pool.gpus_per_node} {device} each")
    elif pool.kind.brings_device_plugin or _device_plugins(probe):
        yield passed(f"a device plugin will offer {device} on new nodes")
    else:
        yield warning(
            "no device plugin DaemonSet; new nodes offer GPUs only if their image includes a "
            "device plugin",
            install,
        )


def _device_plugins(probe: Probe) -> bool:
    return any("device-plugin" in image for image in images_of(probe.daemon_sets))


def images_of(daemon_sets: tuple[dict[str, Any], ...]) -> list[str]:
    """Returns the images of DaemonSets' containers."""
    return [
        str(container.get("image", ""))
        for each in daemon_sets
        for container in listed(at(each, "spec", "template", "spec", "containers"))
    ]


def _oldest_driver(needs: Needs) -> int:
    """Returns the oldest driver that the stack's images work with; 0 if any does."""
    versions = [
        model.engine.version for model in needs.stack.models if "-cu12" not in model.engine.image
    ]
    return max(
        (oldest for version in versions for since, oldest in DRIVERS if version >= since), default=0
    )


def _driver(probe: Probe) -> Iterator[Finding]:
    oldest, found = _oldest_driver(probe.needs), gpu_nodes(probe.needs, probe.nodes)
    drivers = {
        _name(node): next(
            (str(_labels(node)[key]) for key in _DRIVER_LABELS if key in _labels(node)), ""
        )
        for node in found
    }
    old = [
        f"{name} ({driver})" for name, driver in drivers.items() if driver and int(driver) < oldest
    ]
    silent = [name for name, driver in drivers.items() if not driver]
    if old:
        yield failed(
            f"NVIDIA driver older than {oldest}, which the engine's image needs: {_some(old)}",
            f"upgrade the driver of these nodes to {oldest} or newer, or set engine.image to the "
            "image's -cu129 build",
        )
    if silent:
        yield unknown(
            f"no label states the NVIDIA driver version of {_some(silent)}; required: {oldest} "
            "or newer",
            "run nvidia-smi on the node, or install GPU feature discovery: "
            f"{named(GPU_OPERATOR).command}",
        )
    if not found:
        yield unknown(
            f"no GPU node states its NVIDIA driver version; required: {oldest} or newer",
            "run preflight again when a node is running, or check the release notes of the node "
            "image",
        )
    elif not old and not silent:
        yield passed(f"{len(found)} GPU nodes have NVIDIA driver {oldest} or newer")


def _mig(probe: Probe) -> Iterator[Finding]:
    pool, found = probe.needs.stack.pool, gpu_nodes(probe.needs, probe.nodes)
    sliced = [
        _name(node)
        for node in found
        if str(_labels(node).get("nvidia.com/mig.config", "all-disabled")) != "all-disabled"
    ]
    if pool.gpu.profile:
        yield passed(f"MIG is enabled on {len(sliced)} of {len(found)} nodes")
    elif sliced:
        yield warning(
            f"MIG is enabled on {_some(sliced)}, but pool.gpu {pool.gpu.name} is a whole GPU",
            f"kubectl label --overwrite node {sliced[0]} nvidia.com/mig.config=all-disabled",
        )
    else:
        yield passed(f"MIG is disabled on {len(found)} GPU nodes")


def _is_nvidia(needs: Needs) -> bool:
    return needs.stack.pool.gpu.vendor == "nvidia"


CHECKS = (
    Check(
        id="gpu-nodes",
        asks="GPU nodes: how many match the pods' node selector, are ready, and are not cordoned",
        applies=always,
        run=_nodes,
    ),
    Check(
        id="taints",
        asks="taints of the GPU nodes, and whether the stack's pods tolerate them",
        applies=lambda needs: not needs.stack.pool.can_grow,
        run=_taints,
    ),
    Check(
        id="device-plugin",
        asks="allocatable GPUs of the nodes, and the device plugin",
        applies=lambda needs: bool(needs.stack.pool.gpu.device_resource),
        run=_gpus,
    ),
    Check(
        id="gpu-driver",
        asks="NVIDIA driver of the GPU nodes, if the engine's image needs a recent one (580 for "
        "vLLM 0.30 and newer)",
        applies=lambda needs: _is_nvidia(needs) and _oldest_driver(needs) > 0,
        run=_driver,
    ),
    Check(
        id="mig",
        asks="whether MIG is configured as in pool.gpu",
        applies=_is_nvidia,
        run=_mig,
    ),
)
