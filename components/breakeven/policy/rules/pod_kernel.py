"""Kernel restrictions of pods: seccomp, SELinux, AppArmor, /proc and sysctls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from breakeven.policy.manifest import Container, Pod, Unknown, at, listed, mapped
from breakeven.policy.remediation import fill_pods
from breakeven.policy.rule import Level, Rule, Violation
from breakeven.policy.rules.containers import (
    all_of,
    each_container,
    each_pod,
    effective,
    is_one_of,
    of_pod,
    shown,
)

SAFE_SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
)
_APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
_SELINUX_TYPES = (None, "", "container_t", "container_init_t", "container_kvm_t")


def _unnamed(profile: Any, path: str) -> Iterator[Violation]:
    """Finds a profile of the node without a name, which the API server rejects."""
    name = at(profile, "localhostProfile")
    is_unnamed = not isinstance(name, Unknown) and not str(name or "").strip()
    if is_unnamed and at(profile, "type") == "Localhost":
        yield Violation(f"{path}.localhostProfile", shown(name))


def _outside(profile: Any, path: str) -> Iterator[Violation]:
    """Finds a seccomp profile without a name, or outside the kubelet's folder of profiles."""
    yield from _unnamed(profile, path)
    name = at(profile, "localhostProfile")
    if isinstance(name, str) and (name.startswith("/") or ".." in name.split("/")):
        yield Violation(f"{path}.localhostProfile", shown(name))


def _pod_seccomp(pod: Pod) -> Iterator[Violation]:
    for path, value in of_pod(pod, "seccompProfile", "type"):
        if not is_one_of(value, "RuntimeDefault", "Localhost"):
            yield Violation(path, shown(value))
    for path, value in of_pod(pod, "seccompProfile"):
        yield from _outside(value, path)


def _pod_selinux(pod: Pod) -> Iterator[Violation]:
    for path, value in of_pod(pod, "seLinuxOptions", "type"):
        if not is_one_of(value, *_SELINUX_TYPES):
            yield Violation(path, shown(value))
    for key in ("user", "role"):
        for path, value in of_pod(pod, "seLinuxOptions", key):
            if not is_one_of(value, ""):
                yield Violation(path, shown(value))


def _pod_apparmor(pod: Pod) -> Iterator[Violation]:
    for path, value in of_pod(pod, "appArmorProfile", "type"):
        if not is_one_of(value, "RuntimeDefault", "Localhost"):
            yield Violation(path, shown(value))
    for path, value in of_pod(pod, "appArmorProfile"):
        yield from _unnamed(value, path)
    for key, value in mapped(pod.annotations).items():
        plain = value in ("runtime/default", "") or re.fullmatch(r"localhost/\S+", str(value))
        if str(key).startswith(_APPARMOR_ANNOTATION) and not plain:
            yield Violation(f"metadata.annotations[{key}]", shown(value))


def _seccomp(container: Container, pod: Pod) -> Iterator[Violation]:
    value = effective(container, pod, "seccompProfile", "type")
    if not is_one_of(value, "RuntimeDefault", "Localhost"):
        yield Violation(f"{container.path}.securityContext.seccompProfile.type", shown(value))
    own = at(container.spec, "securityContext", "seccompProfile")
    yield from _outside(own, f"{container.path}.securityContext.seccompProfile")


def _proc_mount(container: Container, _pod: Pod) -> Iterator[Violation]:
    value = at(container.spec, "securityContext", "procMount")
    if not is_one_of(value, None, "Default"):
        yield Violation(f"{container.path}.securityContext.procMount", shown(value))


def _sysctls(pod: Pod) -> Iterator[Violation]:
    for entry in listed(at(pod.spec, "securityContext", "sysctls")):
        name = at(entry, "name")
        if not is_one_of(name, *SAFE_SYSCTLS):
            yield Violation(f"{pod.path}.securityContext.sysctls", shown(name))
        elif set("+=") & set(str(at(entry, "value"))):
            yield Violation(f"{pod.path}.securityContext.sysctls", shown(at(entry, "value")))


def _selinux(container: Container, pod: Pod) -> Iterator[Violation]:
    options = effective(container, pod, "seLinuxOptions")
    path = f"{container.path}.securityContext.seLinuxOptions"
    if not is_one_of(at(options, "type"), *_SELINUX_TYPES):
        yield Violation(f"{path}.type", shown(at(options, "type")))
    for key in ("user", "role"):
        if not is_one_of(at(options, key), None, ""):
            yield Violation(f"{path}.{key}", shown(at(options, key)))


def _apparmor(container: Container, pod: Pod) -> Iterator[Violation]:
    value = effective(container, pod, "appArmorProfile", "type")
    if not is_one_of(value, None, "RuntimeDefault", "Localhost"):
        yield Violation(f"{container.path}.securityContext.appArmorProfile.type", shown(value))
    own = at(container.spec, "securityContext", "appArmorProfile")
    yield from _unnamed(own, f"{container.path}.securityContext.appArmorProfile")


RULES = (
    Rule(
        id="pod-seccomp",
        what="Every container has a seccomp profile, and a profile of the node (Localhost) is "
        "named.",
        do="Set securityContext.seccompProfile.type to RuntimeDefault on the pod, or state "
        "localhostProfile.",
        theme="isolation",
        level=Level.REMEDIATING,
        check=all_of(each_pod(_pod_seccomp), each_container(_seccomp)),
        remediate=fill_pods({"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}),
        controls={
            "PSS": ("restricted",),
            "CIS": ("5.6.2",),
            "NSA": ("C-0055",),
            "Checkov": ("CKV_K8S_31",),
        },
    ),
    Rule(
        id="pod-proc-mount",
        what="/proc has the runtime's default mask.",
        do="Remove securityContext.procMount.",
        theme="isolation",
        check=each_container(_proc_mount),
        controls={"PSS": ("baseline",)},
    ),
    Rule(
        id="pod-sysctls",
        what="Only kernel parameters that Kubernetes calls safe are set, and to nothing in which a "
        "further one could hide (CVE-2022-0811).",
        do="Remove the sysctl, or set it on the node.",
        theme="isolation",
        check=each_pod(_sysctls),
        controls={"PSS": ("baseline",)},
    ),
    Rule(
        id="pod-selinux",
        what="SELinux options use a container type and set no user or role.",
        do="Remove seLinuxOptions.",
        theme="isolation",
        check=all_of(each_pod(_pod_selinux), each_container(_selinux)),
        controls={"PSS": ("baseline",)},
    ),
    Rule(
        id="pod-apparmor",
        what="AppArmor is not disabled, and a profile of the node (Localhost) is named.",
        do="Set appArmorProfile.type to RuntimeDefault, state localhostProfile, or remove it.",
        theme="isolation",
        check=all_of(each_pod(_pod_apparmor), each_container(_apparmor)),
        controls={"PSS": ("baseline",)},
    ),
)
