"""Privileges of pods: the Pod Security Standard "restricted", and what it does not cover."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from breakeven.policy.manifest import (
    Container,
    Pod,
    Resource,
    Scope,
    Unknown,
    at,
    has_unknown,
    listed,
    mapped,
)
from breakeven.policy.remediation import fill_containers
from breakeven.policy.rule import Level, Rule, Violation, about
from breakeven.policy.rules.containers import (
    all_of,
    each_container,
    each_pod,
    effective,
    handlers,
    is_false,
    is_kind,
    is_off,
    is_one_of,
    is_true,
    of_pod,
    shown,
)

LOWEST_USER = 10_000
"""A lower user ID can also be that of a user of the host."""

VOLUME_TYPES = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
)


def _not_privileged(container: Container, _pod: Pod) -> Iterator[Violation]:
    value = at(container.spec, "securityContext", "privileged")
    if not is_off(value):
        yield Violation(f"{container.path}.securityContext.privileged", shown(value))


@about(lambda resource, _scope: "." in resource.group)
def _privileged_later(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    """Finds what a custom kind's controller puts into the pods that it makes."""
    judged = {
        id(at(container.spec, "securityContext"))
        for pod in resource.pods
        for container in pod.containers()
    }
    for path, value in _contexts(resource.manifest):
        if not is_off(at(value, "privileged")) and id(value) not in judged:
            yield Violation(f"{path}.privileged", shown(at(value, "privileged")))


def _contexts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yields every security context below a value, with its path."""
    for key, item in mapped(value).items():
        below = f"{path}.{key}" if path else str(key)
        if str(key).endswith(("securityContext", "SecurityContext")):
            yield below, item
        yield from _contexts(item, below)
    for number, item in enumerate(listed(value)):
        yield from _contexts(item, f"{path}[{number}]")


def _no_host_namespaces(pod: Pod) -> Iterator[Violation]:
    for key in ("hostPID", "hostIPC", "hostNetwork"):
        value = pod.spec.get(key)
        if not is_off(value):
            yield Violation(f"{pod.path}.{key}", shown(value))


def _no_escalation(container: Container, _pod: Pod) -> Iterator[Violation]:
    value = at(container.spec, "securityContext", "allowPrivilegeEscalation")
    if not is_false(value):
        yield Violation(f"{container.path}.securityContext.allowPrivilegeEscalation", shown(value))


def _is_high(user: Any) -> bool:
    number = isinstance(user, int | float) and not isinstance(user, bool)
    return isinstance(user, Unknown) or (number and user >= LOWEST_USER)


def _pod_non_root(pod: Pod) -> Iterator[Violation]:
    for path, value in of_pod(pod, "runAsUser"):
        if not _is_high(value):
            yield Violation(path, shown(value))
    for path, value in of_pod(pod, "runAsNonRoot"):
        if not is_true(value):
            yield Violation(path, shown(value))


def _non_root(container: Container, pod: Pod) -> Iterator[Violation]:
    value = effective(container, pod, "runAsNonRoot")
    if not is_true(value):
        yield Violation(f"{container.path}.securityContext.runAsNonRoot", shown(value))
    user = effective(container, pod, "runAsUser")
    if not _is_high(user):
        yield Violation(f"{container.path}.securityContext.runAsUser", shown(user))


def _root_groups(pod: Pod) -> Iterator[Violation]:
    for key in ("runAsGroup", "fsGroup"):
        for path, value in of_pod(pod, key):
            if is_one_of(value, 0) and not isinstance(value, Unknown):
                yield Violation(path, shown(value))
    for path, value in of_pod(pod, "supplementalGroups"):
        if 0 in listed(value):
            yield Violation(path, shown(list(listed(value))))


def _root_group(container: Container, pod: Pod) -> Iterator[Violation]:
    group = effective(container, pod, "runAsGroup")
    if group is None or (is_one_of(group, 0) and not isinstance(group, Unknown)):
        yield Violation(f"{container.path}.securityContext.runAsGroup", shown(group))


def _no_host_calls(container: Container, _pod: Pod) -> Iterator[Violation]:
    for path, handler in handlers(container):
        for key in ("httpGet", "tcpSocket"):
            host = at(handler, key, "host")
            if not is_one_of(host, None, ""):
                yield Violation(f"{container.path}.{path}.{key}.host", shown(host))


@about(is_kind("PersistentVolume"))
def _no_host_volume(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for key in ("hostPath", "local"):
        if resource.spec.get(key) is not None:
            yield Violation(f"spec.{key}", shown(at(resource.spec, key, "path")))


def _drops_all(container: Container, _pod: Pod) -> Iterator[Violation]:
    capabilities = at(container.spec, "securityContext", "capabilities")
    dropped, path = at(capabilities, "drop"), f"{container.path}.securityContext.capabilities"
    if not has_unknown((capabilities, dropped)) and "ALL" not in listed(dropped):
        yield Violation(f"{path}.drop", shown(dropped))
    for added in listed(at(capabilities, "add")):
        if not is_one_of(added, "NET_BIND_SERVICE"):
            yield Violation(f"{path}.add", shown(added))


def _volumes(pod: Pod) -> Iterator[Violation]:
    for number, volume in enumerate(listed(pod.spec.get("volumes"))):
        for key, value in mapped(volume).items():
            if key != "name" and value is not None and key not in VOLUME_TYPES:
                name = at(volume, "name") or number
                yield Violation(f"{pod.path}.volumes[{name}]", f"{key} {shown(value)}")


def _no_host_ports(container: Container, _pod: Pod) -> Iterator[Violation]:
    for port in listed(container.spec.get("ports")):
        value = at(port, "hostPort")
        if not is_one_of(value, None, 0):
            yield Violation(f"{container.path}.ports", f"hostPort {shown(value)}")


def _no_host_process(container: Container, pod: Pod) -> Iterator[Violation]:
    value = effective(container, pod, "windowsOptions", "hostProcess")
    if not is_off(value):
        yield Violation(f"{container.path}.securityContext.windowsOptions", "hostProcess")


def _read_only_root(container: Container, _pod: Pod) -> Iterator[Violation]:
    value = at(container.spec, "securityContext", "readOnlyRootFilesystem")
    if not is_true(value):
        yield Violation(f"{container.path}.securityContext.readOnlyRootFilesystem", shown(value))


def _limited_empty_dirs(pod: Pod) -> Iterator[Violation]:
    for number, volume in enumerate(listed(pod.spec.get("volumes"))):
        if "emptyDir" in mapped(volume) and at(volume, "emptyDir", "sizeLimit") is None:
            name = at(volume, "name") or number
            yield Violation(f"{pod.path}.volumes[{name}].emptyDir.sizeLimit", "not set")


def _remediated(context: dict[str, object]) -> dict[str, object]:
    return {"securityContext": context}


RULES = (
    Rule(
        id="pod-no-privileged",
        what="No container is privileged.",
        do="Remove securityContext.privileged; request the specific device or capability instead.",
        theme="isolation",
        check=all_of(each_container(_not_privileged), _privileged_later),
        controls={
            "PSS": ("baseline",),
            "CIS": ("5.2.2",),
            "NSA": ("C-0057",),
            "Checkov": ("CKV_K8S_16",),
        },
    ),
    Rule(
        id="pod-no-host-namespaces",
        what="No pod shares the host's processes, IPC or network.",
        do="Remove hostPID, hostIPC and hostNetwork; for /dev/shm, use an in-memory emptyDir.",
        theme="isolation",
        check=each_pod(_no_host_namespaces),
        controls={
            "PSS": ("baseline",),
            "CIS": ("5.2.3", "5.2.4", "5.2.5"),
            "NSA": ("C-0038", "C-0041"),
            "Checkov": ("CKV_K8S_17", "CKV_K8S_18", "CKV_K8S_19"),
        },
    ),
    Rule(
        id="pod-no-privilege-escalation",
        what="No process can gain more privileges than its parent.",
        do="Set securityContext.allowPrivilegeEscalation to false in every container.",
        theme="least-privilege",
        level=Level.REMEDIATING,
        check=each_container(_no_escalation),
        remediate=fill_containers(_remediated({"allowPrivilegeEscalation": False})),
        controls={
            "PSS": ("restricted",),
            "CIS": ("5.2.6",),
            "NSA": ("C-0016",),
            "Checkov": ("CKV_K8S_20",),
        },
    ),
    Rule(
        id="pod-non-root",
        what=f"Every container runs as a non-root user with an ID of {LOWEST_USER:,} or higher.",
        do="Set runAsNonRoot to true and runAsUser to 10000 or higher.",
        theme="least-privilege",
        check=all_of(each_pod(_pod_non_root), each_container(_non_root)),
        controls={
            "PSS": ("restricted",),
            "CIS": ("5.2.7",),
            "NSA": ("C-0013",),
            "Checkov": ("CKV_K8S_23", "CKV_K8S_40"),
        },
    ),
    Rule(
        id="pod-non-root-group",
        what="No process is in the group 0, to which files of the image and of the host belong.",
        do="Set runAsGroup to a number from 1 up; leave 0 out of fsGroup and supplementalGroups.",
        theme="least-privilege",
        check=all_of(each_pod(_root_groups), each_container(_root_group)),
    ),
    Rule(
        id="pod-no-host-calls",
        what="The kubelet calls nothing but the pod itself for its probes and hooks.",
        do="Remove host from httpGet and tcpSocket of probes and lifecycle hooks.",
        theme="network-boundary",
        check=each_container(_no_host_calls),
        controls={"PSS": ("baseline",)},
    ),
    Rule(
        id="pod-drop-all",
        what="Every container drops all capabilities and adds at most NET_BIND_SERVICE.",
        do='Set securityContext.capabilities.drop to ["ALL"].',
        theme="least-privilege",
        level=Level.REMEDIATING,
        check=each_container(_drops_all),
        remediate=fill_containers(_remediated({"capabilities": {"drop": ["ALL"]}})),
        controls={
            "PSS": ("restricted",),
            "CIS": ("5.2.8", "5.2.9"),
            "NSA": ("C-0046",),
            "Checkov": ("CKV_K8S_28", "CKV_K8S_37"),
        },
    ),
    Rule(
        id="pod-volume-types",
        what="Volumes are of the types that the restricted standard allows; never of the host, "
        "also not by a PersistentVolume that is a folder of a node.",
        do=f"Use one of: {', '.join(VOLUME_TYPES)}.",
        theme="isolation",
        check=all_of(each_pod(_volumes), _no_host_volume),
        controls={
            "PSS": ("restricted",),
            "CIS": ("5.2.11",),
            "Kubescape": ("C-0045", "C-0048", "C-0074"),
        },
    ),
    Rule(
        id="pod-no-host-port",
        what="No container uses a host port.",
        do="Remove hostPort; reach the pod through a Service.",
        theme="network-boundary",
        check=each_container(_no_host_ports),
        controls={
            "PSS": ("baseline",),
            "CIS": ("5.2.12",),
            "NSA": ("C-0044",),
            "Checkov": ("CKV_K8S_26",),
        },
    ),
    Rule(
        id="pod-no-host-process",
        what="No Windows container runs as a HostProcess container.",
        do="Remove windowsOptions.hostProcess.",
        theme="isolation",
        check=each_container(_no_host_process),
        controls={"PSS": ("baseline",), "CIS": ("5.2.10",)},
    ),
    Rule(
        id="pod-read-only-root",
        what="Every container's root file system is read-only.",
        do="Set readOnlyRootFilesystem to true and mount an emptyDir at each path the program "
        "writes to.",
        theme="isolation",
        check=each_container(_read_only_root),
        controls={"NSA": ("C-0017",), "Checkov": ("CKV_K8S_22",)},
    ),
    Rule(
        id="pod-empty-dir-limit",
        what="Every emptyDir has a size limit, so that no pod fills its node's disk or memory.",
        do="Set emptyDir.sizeLimit.",
        theme="capacity",
        check=each_pod(_limited_empty_dirs),
    ),
)
