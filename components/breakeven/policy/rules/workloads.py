"""Resources, probes and secrets of pods."""

from __future__ import annotations

import re
from collections.abc import Iterator

from breakeven.policy.config_maps import config_texts
from breakeven.policy.manifest import (
    Container,
    Pod,
    Resource,
    Scope,
    Unknown,
    at,
    listed,
    mapped,
    strings,
)
from breakeven.policy.remediation import fill_pods
from breakeven.policy.rule import Level, Rule, Violation, about
from breakeven.policy.rules.command_lines import ELSEWHERE, environment, flags
from breakeven.policy.rules.containers import (
    all_of,
    asked_gpus,
    each_container,
    each_pod,
    is_any,
    is_false,
    is_kind,
    is_one_of,
    shown,
)

GPU = "nvidia.com/gpu"
# Ephemeral containers can have neither resources nor probes.
_LASTING = ("containers", "initContainers")
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")

_SECRET_NAME = re.compile(
    r"(^|[_.-])([a-z0-9]*[_-]?(api|access|private|secret|signing|encryption|openai|auth)[_-]?key"
    r"|(azure|oci)[a-z_-]*key(_content)?|token|password|passwd|passw?|pwd|passphrase|secret|credentials?)$",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"|true|false|\d+|/\S*|\$\(\w+\)", re.IGNORECASE)
_SECRET_LINE = re.compile(
    r"(^|[\s{,\"'])[\w.-]*(password|passwd|passphrase|api[_-]?key|access[_-]?key|secret[_-]?key"
    r"|private[_-]?key|client[_-]?secret|auth[_-]?token|access[_-]?token)[\"']?\s*[:=]\s*"
    r"[\"']?(?=[^\s\"',]*\d)(?=[^\s\"',]*[a-z])[\w+/=!@#%^&*-]{8,}[\"']?\s*($|[,}\n])",
    re.IGNORECASE,
)
"""A line of a configuration file, or a member of JSON, whose value is a word with digits in it."""
_SECRET_VALUE = re.compile(
    r"\bhf_[A-Za-z0-9]{30,}|\bsk-[A-Za-z0-9_-]{20,}|\bnvapi-[A-Za-z0-9_-]{30,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{30,}"
    r"|---+ ?BEGIN [A-Z ]*PRIVATE KEY ?---+|\b[Bb]earer\s+[A-Za-z0-9._~+/-]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bAIza[0-9A-Za-z_-]{35}\b"
    r"|[a-z][a-z0-9+.-]*://[^\s/:@]+:(?!\$)[^\s/@]{3,}@"
)


def _resources(container: Container, _pod: Pod) -> Iterator[Violation]:
    for section, name in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
        # If a request is omitted, the API server sets it to the limit.
        stated = (section, "limits") if section == "requests" else (section,)
        if all(at(container.spec, "resources", each, name) is None for each in stated):
            yield Violation(f"{container.path}.resources.{section}.{name}", "not set")


def _requests_stated(container: Container, _pod: Pod) -> Iterator[Violation]:
    for name in ("cpu", "memory"):
        limit = at(container.spec, "resources", "limits", name)
        if limit is not None and at(container.spec, "resources", "requests", name) is None:
            yield Violation(f"{container.path}.resources.requests.{name}", f"the limit, {limit}")


def _ephemeral_storage(container: Container, _pod: Pod) -> Iterator[Violation]:
    for section in ("requests", "limits"):
        if at(container.spec, "resources", section, "ephemeral-storage") is None:
            yield Violation(f"{container.path}.resources.{section}.ephemeral-storage", "not set")


def _memory_fixed(container: Container, _pod: Pod) -> Iterator[Violation]:
    requested = at(container.spec, "resources", "requests", "memory")
    limit = at(container.spec, "resources", "limits", "memory")
    if isinstance(requested, str) and isinstance(limit, str) and requested != limit:
        yield Violation(f"{container.path}.resources.limits.memory", f"{limit}, not {requested}")


def _cpu_limited(container: Container, _pod: Pod) -> Iterator[Violation]:
    if at(container.spec, "resources", "limits", "cpu") is None:
        yield Violation(f"{container.path}.resources.limits.cpu", "not set")


def _gpus(container: Container, _pod: Pod) -> Iterator[Violation]:
    for gpu in asked_gpus(container):
        requested = at(container.spec, "resources", "requests", gpu)
        limit = at(container.spec, "resources", "limits", gpu)
        if isinstance(requested, Unknown) or isinstance(limit, Unknown):
            continue
        if requested is not None and str(requested) != str(limit):
            yield Violation(f"{container.path}.resources.limits", f"{gpu} {shown(limit)}")


def _no_visible_devices(container: Container, _pod: Pod) -> Iterator[Violation]:
    for name, value in environment(container).stated.items():
        if name == "NVIDIA_VISIBLE_DEVICES" and not is_one_of(value, "void", "none"):
            yield Violation(f"{container.path}.env[{name}]", shown(value))


_DEVICE_ANNOTATIONS = ("cdi.k8s.io/", "io.kubernetes.cri-o.Devices")


def _no_devices_by_annotation(pod: Pod) -> Iterator[Violation]:
    for name, value in mapped(pod.annotations).items():
        if str(name).startswith(_DEVICE_ANNOTATIONS):
            yield Violation(f"metadata.annotations[{name}]", shown(value))


@about(is_kind("ResourceClaim", "ResourceClaimTemplate"))
def _no_admin_access(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for spec in (resource.spec, mapped(resource.spec.get("spec"))):
        for number, request in enumerate(listed(at(spec, "devices", "requests"))):
            for each in (request, at(request, "exactly")):
                if at(each, "adminAccess") is True:
                    yield Violation(f"spec.devices.requests[{number}].adminAccess", "true")


def _no_service_links(pod: Pod) -> Iterator[Violation]:
    value = pod.spec.get("enableServiceLinks")
    if not is_false(value):
        yield Violation(f"{pod.path}.enableServiceLinks", shown(value))


def _running(resource: Resource) -> Iterator[Container]:
    """Yields the long-running containers: not those that end after one task."""
    if resource.kind in ("Job", "CronJob"):
        return
    for pod in resource.pods:
        if pod.spec.get("restartPolicy") not in ("Never", "OnFailure"):
            yield from (each for each in pod.containers() if each.role == "containers")


@about(lambda resource, _scope: any(True for _ in _running(resource)))
def _probes(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for container in _running(resource):
        for probe in _PROBES:
            if container.spec.get(probe) is None:
                yield Violation(f"{container.path}.{probe}", "not set")


@about(is_any)
def _no_literal_secrets(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    yield from _literal_data(resource)
    yield from _literal_lines(resource)
    for pod in resource.pods:
        for container in pod.containers():
            yield from _literals(container)
    yield from (
        Violation(path, "looks like a key; not shown")
        for path, text in strings(resource.manifest)
        if _SECRET_VALUE.search(text)
    )


def _literal_data(resource: Resource) -> Iterator[Violation]:
    if resource.kind == "Secret":
        for section in ("data", "stringData"):
            if resource.manifest.get(section):
                yield Violation(section, "secret values in the manifest")
    if resource.kind == "ConfigMap":
        for key, value in mapped(resource.manifest.get("data")).items():
            if _SECRET_NAME.search(str(key)) and not _NO_SECRET.fullmatch(str(value)):
                yield Violation(f"data[{key}]", "a literal value; not shown")


def _literal_lines(resource: Resource) -> Iterator[Violation]:
    annotations = strings(at(resource.manifest, "metadata", "annotations"), "metadata.annotations")
    for path, text in (*config_texts(resource, "data", "binaryData"), *annotations):
        if _SECRET_LINE.search(text):
            yield Violation(path, "a line that states a secret; not shown")


def _literals(container: Container) -> Iterator[Violation]:
    for name, value in environment(container).stated.items():
        is_text = isinstance(value, str) and value != ELSEWHERE
        if is_text and _SECRET_NAME.search(name) and not _NO_SECRET.fullmatch(value):
            yield Violation(f"{container.path}.env[{name}]", "a literal value; not shown")
    for name, value in flags(container).stated.items():
        if _SECRET_NAME.search(name.lstrip("-")) and not _NO_SECRET.fullmatch(value):
            yield Violation(f"{container.path}.args[{name}]", "a literal value; not shown")


def _secrets_as_files(container: Container, _pod: Pod) -> Iterator[Violation]:
    for entry in listed(container.spec.get("env")):
        if at(entry, "valueFrom", "secretKeyRef") is not None:
            yield Violation(f"{container.path}.env[{at(entry, 'name')}]", "a Secret as a variable")
    for entry in listed(container.spec.get("envFrom")):
        if at(entry, "secretRef") is not None:
            yield Violation(f"{container.path}.envFrom", "all keys of a Secret as variables")


RULES = (
    Rule(
        id="resources-set",
        what="Every container requests CPU and memory and has a memory limit.",
        do="Set resources.requests.cpu, .memory and resources.limits.memory.",
        theme="capacity",
        check=each_container(_resources, roles=_LASTING),
        controls={
            "NSA": ("C-0270", "C-0271"),
            "Checkov": ("CKV_K8S_10", "CKV_K8S_12", "CKV_K8S_13"),
        },
    ),
    Rule(
        id="resources-requests-stated",
        what="What a container reserves of CPU and memory is stated. If a request is omitted, the "
        "whole limit is reserved, and nodes are bought for it.",
        do="Set resources.requests.cpu and .memory next to the limits.",
        theme="capacity",
        level=Level.ADVISORY,
        check=each_container(_requests_stated, roles=_LASTING),
    ),
    Rule(
        id="resources-ephemeral-storage",
        what="Every container has a request and a limit for ephemeral storage.",
        do="Set resources.requests and .limits for ephemeral-storage. Include emptyDir volumes, "
        "except those in "
        "memory.",
        theme="capacity",
        check=each_container(_ephemeral_storage, roles=_LASTING),
    ),
    Rule(
        id="resources-memory-fixed",
        what="A container's memory limit equals its request, so that it is never killed because "
        "of another pod's peak.",
        do="Set both to the same value.",
        theme="capacity",
        level=Level.ADVISORY,
        check=each_container(_memory_fixed, roles=_LASTING),
    ),
    Rule(
        id="resources-cpu-limit",
        what="Every container has a CPU limit.",
        do="Set resources.limits.cpu. For an inference server, omit it and waive the rule: a "
        "limit would "
        "throttle its tokenizer and scheduler threads.",
        theme="capacity",
        level=Level.ADVISORY,
        check=each_container(_cpu_limited, roles=_LASTING),
        controls={"NSA": ("C-0270",), "Checkov": ("CKV_K8S_11",)},
    ),
    Rule(
        id="resources-gpu",
        what="GPUs are set as a limit, and a GPU request, if any, equals the limit.",
        do=f"Set resources.limits[{GPU}].",
        theme="capacity",
        check=each_container(
            _gpus, roles=_LASTING, only=lambda container: bool(asked_gpus(container))
        ),
    ),
    Rule(
        id="gpu-no-visible-devices",
        what="No container takes GPUs past the scheduler: by NVIDIA_VISIBLE_DEVICES, by an "
        "annotation for devices, or by a claim with adminAccess.",
        do=f"Remove it and ask for GPUs by resources.limits[{GPU}].",
        theme="isolation",
        check=all_of(
            each_container(_no_visible_devices),
            each_pod(_no_devices_by_annotation),
            _no_admin_access,
        ),
    ),
    Rule(
        id="pod-no-service-links",
        what="Pods do not get environment variables for every Service in the namespace: such a "
        "variable can have "
        "the same name as one of the program's settings.",
        do="Set enableServiceLinks to false; the program finds Services through DNS.",
        theme="attack-surface",
        level=Level.REMEDIATING,
        check=each_pod(_no_service_links),
        remediate=fill_pods({"enableServiceLinks": False}),
    ),
    Rule(
        id="probes-set",
        what="Every long-running container has startup, readiness and liveness probes. The "
        "startup probe delays "
        "the others while a model loads.",
        do="Set startupProbe, readinessProbe and livenessProbe.",
        theme="availability",
        check=_probes,
        controls={"Kubescape": ("C-0018", "C-0056"), "Checkov": ("CKV_K8S_8", "CKV_K8S_9")},
    ),
    Rule(
        id="secret-not-literal",
        what="No manifest contains the value of a secret, so neither the Pulumi state nor a "
        "preview does.",
        do="Create the Secret outside the program and reference it with secretKeyRef or as a "
        "volume.",
        theme="secrets",
        check=_no_literal_secrets,
        controls={"NSA": ("C-0012",)},
    ),
    Rule(
        id="secret-as-file",
        what="Programs read secrets from files, which, unlike variables, child processes and "
        "crash reports do "
        "not inherit.",
        do="If the program can read the secret from a file, mount the Secret as a volume.",
        theme="secrets",
        level=Level.ADVISORY,
        check=each_container(_secrets_as_files),
        controls={"CIS": ("5.4.1",), "Kubescape": ("C-0207",), "Checkov": ("CKV_K8S_35",)},
    ),
)
