"""What watches the stack: Prometheus, what it selects, GPU metrics, and Grafana's dashboards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from breakeven.cluster.errors import RefusedError
from breakeven.cluster.preflight.add_ons import GPU_OPERATOR, add_on_of, named
from breakeven.cluster.preflight.check import Check, Probe
from breakeven.cluster.preflight.checks.gpu_nodes import images_of
from breakeven.cluster.preflight.finding import Finding, failed, passed, unknown, warning
from breakeven.cluster.preflight.needs import Needs
from breakeven.cluster.prometheus import PrometheusError
from breakeven.policy.manifest import at, listed, mapped
from breakeven.policy.selectors import matches

_GROUP = "monitoring.coreos.com"
_SELECTORS = {
    "PodMonitor": "podMonitor",
    "PrometheusRule": "rule",
    "ServiceMonitor": "serviceMonitor",
}


def _scales(needs: Needs) -> bool:
    return any(model.replicas.autoscaling for model in needs.stack.models)


def _reachable(probe: Probe) -> Iterator[Finding]:
    worse = failed if _scales(probe.needs) else warning
    try:
        targets = probe.prometheus.targets()
    except PrometheusError as error:
        add_on = add_on_of(_GROUP, None)
        install = f"; or install one: {add_on.command}" if add_on else ""
        yield worse(
            str(error).partition(". Check")[0],
            f"set monitoring.prometheusAddress to a Prometheus that responds{install}",
        )
        return
    own = [
        each
        for each in targets
        if mapped(each.get("labels")).get("namespace") in probe.needs.own_namespaces
    ]
    down = [each for each in own if each.get("health") == "down"]
    if not targets:
        yield warning(
            f"Prometheus at {probe.prometheus.where} scrapes no targets",
            "see Status > Targets in Prometheus, and the check prometheus-selection",
        )
    elif down:
        reason = str(down[0].get("lastError", "")) or "no reason given"
        yield warning(
            f"Prometheus cannot scrape {len(down)} of the stack's {len(own)} targets: {reason}",
            "allow its namespace: the network policies only admit monitoring.namespace",
        )
    else:
        ours = f", {len(own)} of them the stack's" if own else ""
        yield passed(f"Prometheus at {probe.prometheus.where} scrapes {len(targets)} targets{ours}")


def _selection(probe: Probe) -> Iterator[Finding]:
    """Yields whether a Prometheus of the operator takes the stack's monitors and rules."""
    try:
        found = tuple(probe.cluster.items(f"/apis/{_GROUP}/v1/prometheuses"))
    except RefusedError:
        found = ()
    if not found:
        yield unknown(
            "found no Prometheus of the operator with readable selectors",
            "make sure that your Prometheus selects PodMonitors and PrometheusRules of the "
            f"namespace {', '.join(probe.needs.own_namespaces)}",
        )
        return
    for kind, prefix in _SELECTORS.items():
        for resource in (each for each in probe.needs.resources if each.kind == kind):
            if not any(_takes(probe, each, prefix, resource.manifest) for each in found):
                yield _left_out(found, prefix, resource.key)
                break
        else:
            if any(each.kind == kind for each in probe.needs.resources):
                yield passed(f"a Prometheus selects the stack's {kind}s")


def _takes(probe: Probe, prometheus: dict[str, Any], prefix: str, manifest: Any) -> bool:
    spec, metadata = mapped(prometheus.get("spec")), manifest["metadata"]
    selector = spec.get(f"{prefix}Selector")
    if selector is None or not matches(selector, mapped(metadata.get("labels"))):
        return False
    namespaces = spec.get(f"{prefix}NamespaceSelector")
    if namespaces is None:
        return bool(metadata["namespace"] == prometheus["metadata"]["namespace"])
    wanted = str(metadata["namespace"])
    there = probe.namespace(wanted)
    made = next(
        (
            each.manifest
            for each in probe.needs.resources
            if each.kind == "Namespace" and each.manifest["metadata"]["name"] == wanted
        ),
        None,
    )
    labels = {
        "kubernetes.io/metadata.name": wanted,
        **mapped(at(there, "metadata", "labels")),
        **mapped(at(made, "metadata", "labels")),
    }
    return matches(namespaces, labels)


def _left_out(found: tuple[dict[str, Any], ...], prefix: str, key: str) -> Finding:
    place = found[0]["metadata"]
    patch = f'{{"spec": {{"{prefix}Selector": {{}}, "{prefix}NamespaceSelector": {{}}}}}}'
    return failed(
        f"Prometheus {place['namespace']}/{place['name']} does not select {key}",
        f"kubectl -n {place['namespace']} patch prometheus {place['name']} --type merge "
        f"--patch '{patch}'",
    )


def _gpu_metrics(probe: Probe) -> Iterator[Finding]:
    if any("dcgm-exporter" in image for image in images_of(probe.daemon_sets)):
        yield passed("NVIDIA's DCGM exporter is running")
    else:
        yield warning(
            "no DaemonSet of NVIDIA's DCGM exporter: GPU alerts and panels stay empty",
            f"{named(GPU_OPERATOR).command}; or set monitoring.gpuMetrics to false",
        )


def _dashboards(probe: Probe) -> Iterator[Finding]:
    namespace = probe.needs.stack.monitoring.namespace
    pods = probe.cluster.items(f"/api/v1/namespaces/{namespace}/pods")
    images = [
        str(container.get("image", ""))
        for pod in pods
        for container in listed(at(pod, "spec", "containers"))
    ]
    if any("k8s-sidecar" in image for image in images):
        yield passed(f"Grafana's dashboard sidecar is running in namespace {namespace}")
    else:
        add_on = add_on_of(_GROUP, None)
        yield warning(
            f"no pod with Grafana's dashboard sidecar in namespace {namespace}: Grafana will not "
            "show the dashboards",
            add_on.command if add_on else "install Grafana with its dashboard sidecar",
        )


CHECKS = (
    Check(
        id="prometheus",
        asks="whether Prometheus is reachable, through the API server or with --prometheus, and "
        "scrapes targets",
        applies=lambda needs: needs.stack.watched,
        run=_reachable,
    ),
    Check(
        id="prometheus-selection",
        asks="whether the operator's Prometheus selects the stack's PodMonitors and rules",
        applies=lambda needs: needs.stack.monitoring.enabled,
        run=_selection,
    ),
    Check(
        id="dcgm-exporter",
        asks="NVIDIA's DCGM exporter, if monitoring.gpuMetrics is true",
        applies=lambda needs: (
            needs.stack.monitoring.enabled
            and needs.stack.monitoring.gpu_metrics
            and needs.stack.pool.gpu.vendor == "nvidia"
        ),
        run=_gpu_metrics,
    ),
    Check(
        id="dashboards",
        asks="Grafana's dashboard sidecar in monitoring.namespace",
        applies=lambda needs: needs.stack.monitoring.enabled,
        run=_dashboards,
    ),
)
