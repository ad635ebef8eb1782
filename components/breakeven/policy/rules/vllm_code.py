"""Code that a vLLM server runs: its version, external code, and flags that cannot be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from breakeven.policy.config_maps import config_texts
from breakeven.policy.images import parse_image
from breakeven.policy.manifest import Container, Pod, Resource, Scope, Unknown, at, listed, strings
from breakeven.policy.rule import Rule, Violation, about
from breakeven.policy.rules.command_lines import environment, filled_in, flags, json_value
from breakeven.policy.rules.containers import shown
from breakeven.policy.rules.vllm_commands import each_server, is_server, vllm_containers

_ADVISORIES = Path(__file__).parents[1] / "data" / "vllm_advisories.json"
_TRUST = re.compile(r"trust[-_]remote[-_]code[\"']?\s*[:=]\s*(true|1)\b", re.IGNORECASE)
_CODE = (
    "--trust-remote-code",
    "--logits-processors",
    "--reasoning-parser-plugin",
    "--scheduler-cls",
    "--tool-parser-plugin",
    "--worker-cls",
    "--worker-extension-cls",
)
"""Flags that make vLLM run Python from outside its image. The guard needs --middleware."""
_LOADERS = ("BASH_ENV", "ENV", "LD_AUDIT", "LD_PRELOAD", "PYTHONHOME", "PYTHONSTARTUP")
"""Variables by which a program loads code that its image does not start."""

_OWN_FIELDS = ("metadata.namespace", "metadata.uid", "spec.nodeName", "status.")
"""Fields of a pod that the cluster fills in, so that nobody can write a setting into them."""


@cache
def lowest_version() -> tuple[int, ...]:
    """Returns the version below which a published advisory is open."""
    advisories = json.loads(_ADVISORIES.read_text(encoding="utf-8"))["advisories"]
    return max(_numbers(entry["fixed_in"]) for entry in advisories)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@about(lambda resource, scope: resource.kind == "ConfigMap" or is_server(resource, scope))
def _no_remote_code(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for pod, container in vllm_containers(resource):
        for name in _CODE:
            if name in flags(container):
                yield Violation(f"{container.path}.args", name)
        yield from _loaded(container, pod)
    for path, text in config_texts(resource, "data", "binaryData"):
        if _TRUST.search(text):
            yield Violation(path, "trust_remote_code is true")


def _loaded(container: Container, pod: Pod) -> Iterator[Violation]:
    """Yields what makes Python load code from a place that the image does not have."""
    variables = environment(container).stated
    for name in _LOADERS:
        if variables.get(name) not in (None, ""):
            yield Violation(f"{container.path}.env[{name}]", shown(variables[name]))
    places = [f"{variables.get('PYTHONPATH') or ''}"]
    for path in filter(None, ":".join(places).split(":")):
        if not _is_from_config_map(path, container, pod):
            yield Violation(f"{container.path}.env[PYTHONPATH]", shown(path))
    folder = container.spec.get("workingDir")
    if isinstance(folder, str) and _mounted(folder, container, pod) is not None:
        yield Violation(f"{container.path}.workingDir", f"{shown(folder)} is a volume")
    connector = json_value(container, "--kv-transfer-config", "kv_connector_module_path")
    if connector is not None:
        yield Violation(f"{container.path}.args", f"kv_connector_module_path {shown(connector)}")
    backend = str(flags(container).value("--distributed-executor-backend"))
    if "." in backend:
        yield Violation(f"{container.path}.args", f"--distributed-executor-backend {backend}")


def _mounted(path: str, container: Container, pod: Pod) -> Any:
    """Returns the volume that a path lies in; None where the image has it."""
    mounts = [
        mount
        for mount in listed(container.spec.get("volumeMounts"))
        if PurePosixPath(path).is_relative_to(str(at(mount, "mountPath") or "?"))
    ]
    # The longest is the one that is seen there.
    mount = max(mounts, key=lambda each: len(str(at(each, "mountPath"))), default=None)
    named = [each for each in listed(pod.spec.get("volumes")) if mount is not None]
    return next((each for each in named if at(each, "name") == at(mount, "name")), mount)


def _is_from_config_map(path: str, container: Container, pod: Pod) -> bool:
    return at(_mounted(path, container, pod), "configMap") is not None


def _version(container: Container, _pod: Pod) -> Iterator[Violation]:
    image = container.spec.get("image")
    if not isinstance(image, str):
        return
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", parse_image(image).tag)
    if found is None:
        yield Violation(f"{container.path}.image", f"{shown(image)} does not name a version")
    elif tuple(int(part) for part in found.groups()) < lowest_version():
        yield Violation(f"{container.path}.image", found.group())


def _readable(container: Container, _pod: Pod) -> Iterator[Violation]:
    for word in filled_in(container):
        yield Violation(f"{container.path}.args", f"{shown(word)} is known only when it runs")
    if "--config" in flags(container):
        yield Violation(f"{container.path}.args", "--config names a file with further flags")
    sources = container.spec.get("envFrom")
    if sources and not isinstance(sources, Unknown):
        yield Violation(
            f"{container.path}.envFrom", "variables from a source that is not in the manifests"
        )
    for entry in listed(container.spec.get("env")):
        name = str(at(entry, "name"))
        source = at(entry, "valueFrom")
        own = str(at(source, "fieldRef", "fieldPath")).startswith(_OWN_FIELDS)
        key = name == "VLLM_API_KEY" and at(source, "secretKeyRef") is not None
        if isinstance(source, Unknown) or source is None or own or key:
            continue
        if name.startswith(("VLLM_", "PYTHON", "LD_")):
            yield Violation(f"{container.path}.env[{name}]", "its value is not in the manifests")


_STARTS_NO_PODS = (
    "argoproj.io",
    "autoscaling.k8s.io",
    "cert-manager.io",
    "cilium.io",
    "external-secrets.io",
    "gateway.networking.k8s.io",
    "karpenter.azure.com",
    "karpenter.k8s.aws",
    "karpenter.sh",
    "keda.sh",
    "kyverno.io",
    "monitoring.coreos.com",
    "networking.istio.io",
    "policy.networking.k8s.io",
    "projectcalico.org",
)
"""API groups whose kinds can mention vLLM (metrics, routes, rules) without running it."""


def _may_start_pods(resource: Resource, _scope: Scope) -> bool:
    """Tells whether a resource is of a custom kind that can start pods that it does not contain."""
    custom = "." in resource.group and not resource.group.endswith("k8s.io")
    return custom and not resource.pods and resource.group not in _STARTS_NO_PODS


@about(_may_start_pods)
def _shows_its_pods(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for path, text in strings(resource.manifest.get("spec"), "spec"):
        if "vllm" in text.lower():
            yield Violation(path, f"this {resource.kind} mentions vLLM but contains no pod")
            return


RULES = (
    Rule(
        id="vllm-pods-visible",
        what="A custom resource that runs vLLM contains the pods that it starts. Pods that a "
        "controller renders "
        "later cannot be checked here.",
        do="Check the rendered Deployments with: kubectl get deployment -o yaml > "
        "rendered.yaml. Then waive this "
        "rule for the resource.",
        theme="attack-surface",
        check=_shows_its_pods,
    ),
    Rule(
        id="vllm-readable",
        what="The manifests contain all flags and variables of a vLLM server. The other rules "
        "cannot check what "
        "they cannot read.",
        do="Write flags in args as plain words, and variables in env. If envFrom names a "
        "ConfigMap, include it "
        "in the manifests.",
        theme="attack-surface",
        check=each_server(_readable),
        needs_all=True,
    ),
    Rule(
        id="vllm-no-trust-remote-code",
        what="vLLM runs no Python code from a model repository or from outside its image, "
        "except the modules of "
        "--middleware.",
        do=f"Remove {', '.join(_CODE)}, and trust_remote_code from configuration files.",
        theme="model-integrity",
        check=_no_remote_code,
    ),
    Rule(
        id="vllm-min-version",
        what="The vLLM version has the fixes for all published advisories "
        "(data/vllm_advisories.json).",
        do="Use an image whose tag names a newer version.",
        theme="patches",
        check=each_server(_version),
    ),
)
