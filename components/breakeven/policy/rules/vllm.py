"""Flags and variables that a vLLM server must or must not have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from breakeven.policy.config_maps import config_texts
from breakeven.policy.manifest import (
    Container,
    Pod,
    Resource,
    Scope,
    Unknown,
    at,
    has_unknown,
    listed,
)
from breakeven.policy.rule import Level, Rule, Violation, about
from breakeven.policy.rules.command_lines import environment, flags
from breakeven.policy.rules.containers import all_of, is_kind, is_one_of, shown
from breakeven.policy.rules.network_policies import directions, policies_of, selects
from breakeven.policy.rules.vllm_commands import each_server, is_server, vllm_containers
from breakeven.policy.selectors import NAMESPACE_LABEL

_SAFE_FORMATS = ("safetensors", "fastsafetensors", "runai_streamer", "runai_streamer_sharded")
_OFF = (None, "", "0", "false", "False")


@about(is_server)
def _media(resource: Resource, scope: Scope) -> Iterator[Violation]:
    for pod, container in vllm_containers(resource):
        redirects = environment(container).value("VLLM_MEDIA_URL_ALLOW_REDIRECTS")
        if not is_one_of(redirects, "0"):
            yield Violation(
                f"{container.path}.env[VLLM_MEDIA_URL_ALLOW_REDIRECTS]", shown(redirects)
            )
        # With an empty list, vLLM does not check domains.
        domains = flags(container).value("--allowed-media-domains")
        if domains in (None, "") and _may_call(pod, scope):
            yield Violation(f"{container.path}.args", "--allowed-media-domains not set")
        if "--allowed-local-media-path" in flags(container):
            yield Violation(f"{container.path}.args", "--allowed-local-media-path")


def _may_call(pod: Pod, scope: Scope) -> bool:
    selecting = [
        policy
        for policy in policies_of(scope, pod.namespace)
        if "Egress" in directions(policy) and selects(policy, pod)
    ]
    return not selecting or any(
        _leads_away(rule) for policy in selecting for rule in listed(policy.spec.get("egress"))
    )


def _leads_away(rule: Any) -> bool:
    """Tells whether an egress rule allows more than pods of the namespace and DNS."""
    named = listed(at(rule, "to"))
    return not named or any(
        at(peer, "podSelector") is None
        or at(peer, "namespaceSelector", "matchLabels", NAMESPACE_LABEL)
        not in (None, "kube-system")
        for peer in named
    )


def _switched_off(container: Container, _pod: Pod) -> Iterator[Violation]:
    for name in (
        "VLLM_SERVER_DEV_MODE",
        "VLLM_ALLOW_INSECURE_SERIALIZATION",
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING",
    ):
        value = environment(container).value(name)
        if not is_one_of(value, *_OFF):
            yield Violation(f"{container.path}.env[{name}]", shown(value))


def _no_debugging(container: Container, _pod: Pod) -> Iterator[Violation]:
    found = flags(container)
    for name in ("--enable-tokenizer-info-endpoint", "--tool-server", "--profiler-config"):
        if name in found:
            yield Violation(f"{container.path}.args", name)
    if found.lacks("--disable-fastapi-docs"):
        yield Violation(f"{container.path}.args", "--disable-fastapi-docs not set")
    profiler = environment(container).value("VLLM_TORCH_PROFILER_DIR")
    if not is_one_of(profiler, None, ""):
        yield Violation(f"{container.path}.env[VLLM_TORCH_PROFILER_DIR]", shown(profiler))


def _key_from_secret(container: Container, _pod: Pod) -> Iterator[Violation]:
    for entry in listed(container.spec.get("env")):
        source = at(entry, "valueFrom")
        if at(entry, "name") == "VLLM_API_KEY" and (
            isinstance(source, Unknown) or at(source, "secretKeyRef") is not None
        ):
            return
    if not _key_as_flag(container) and environment(container).is_complete:
        yield Violation(f"{container.path}.env[VLLM_API_KEY]", "does not come from a Secret")


def _key_as_flag(container: Container) -> bool:
    """Tells whether --api-key names a variable that is taken from a Secret."""
    value = flags(container).stated.get("--api-key", "")
    return any(
        value == f"$({at(entry, 'name')})" and at(entry, "valueFrom", "secretKeyRef") is not None
        for entry in listed(container.spec.get("env"))
    )


def _telemetry_off(container: Container, _pod: Pod) -> Iterator[Violation]:
    # vLLM compares them with "1"; being set is not enough.
    for name in ("VLLM_NO_USAGE_STATS", "DO_NOT_TRACK"):
        value = environment(container).value(name)
        if not is_one_of(value, "1"):
            yield Violation(f"{container.path}.env[{name}]", shown(value))


def _safetensors(container: Container, _pod: Pod) -> Iterator[Violation]:
    value = flags(container).value("--load-format")
    if not is_one_of(value, *_SAFE_FORMATS):
        yield Violation(f"{container.path}.args[--load-format]", shown(value))


_LOGS = re.compile(r"enable[-_]log[-_](requests|outputs)[\"']?\s*[:=]\s*(true|1)\b", re.IGNORECASE)


@about(is_kind("ConfigMap"))
def _no_prompts_configured(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for path, text in config_texts(resource, "data", "binaryData"):
        if _LOGS.search(text):
            yield Violation(path, "requests or answers are logged")


def _no_prompts_logged(container: Container, _pod: Pod) -> Iterator[Violation]:
    for name in ("--enable-log-requests", "--enable-log-outputs", "--log-config-file"):
        if not is_one_of(flags(container).value(name), None, "false", "False"):
            yield Violation(f"{container.path}.args", name)
    values = environment(container)
    if not is_one_of(values.value("VLLM_DEBUG_LOG_API_SERVER_RESPONSE"), *_OFF):
        yield Violation(f"{container.path}.env[VLLM_DEBUG_LOG_API_SERVER_RESPONSE]", "on")
    if str(values.value("VLLM_LOGGING_LEVEL")).upper() == "DEBUG":
        yield Violation(f"{container.path}.env[VLLM_LOGGING_LEVEL]", "DEBUG")
    if not is_one_of(values.value("VLLM_LOGGING_CONFIG_PATH"), None, ""):
        yield Violation(f"{container.path}.env[VLLM_LOGGING_CONFIG_PATH]", "another configuration")


def _private_caches(container: Container, pod: Pod) -> Iterator[Violation]:
    mounts = {
        str(at(mount, "name")): mount
        for mount in listed(container.spec.get("volumeMounts"))
        if at(mount, "readOnly") is not True
    }
    private: list[str] = []
    for volume in listed(pod.spec.get("volumes")):
        mount = mounts.get(str(at(volume, "name")))
        claim = at(volume, "persistentVolumeClaim")
        if mount is None:
            continue
        if claim is not None and at(claim, "readOnly") is not True:
            yield Violation(f"{container.path}.volumeMounts", f"{at(mount, 'mountPath')} is shared")
        elif at(volume, "emptyDir") is not None or at(volume, "ephemeral") is not None:
            private.append(str(at(mount, "mountPath")).rstrip("/"))
    root = environment(container).value("VLLM_CACHE_ROOT")
    places = (root, pod.spec.get("volumes"), container.spec.get("volumeMounts"))
    if has_unknown(places):
        return
    if not isinstance(root, str) or not any(
        root == path or root.startswith(f"{path}/") for path in private
    ):
        yield Violation(f"{container.path}.env[VLLM_CACHE_ROOT]", shown(root))


@about(is_kind("Service"))
def _service_name(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    if resource.name == "vllm":
        yield Violation("metadata.name", "vllm")


def _drains(container: Container, pod: Pod) -> Iterator[Violation]:
    if "--headless" in flags(container):
        return  # the other nodes of a replica end with the first
    seconds = flags(container).value("--shutdown-timeout")
    if isinstance(seconds, Unknown):
        return
    if seconds is None or not seconds.isdecimal() or int(seconds) == 0:
        yield Violation(f"{container.path}.args[--shutdown-timeout]", shown(seconds))
        return
    waited = at(container.spec, "lifecycle", "preStop", "sleep", "seconds")
    before = waited if isinstance(waited, int | float) else 0
    grace = pod.spec.get("terminationGracePeriodSeconds", 30)
    if isinstance(grace, int | float) and grace <= before + int(seconds):
        yield Violation(
            f"{pod.path}.terminationGracePeriodSeconds",
            f"{grace:.0f}, not higher than {before:.0f} + {seconds}",
        )


def _bounded(container: Container, _pod: Pod) -> Iterator[Violation]:
    if flags(container).lacks("--max-model-len"):
        yield Violation(f"{container.path}.args[--max-model-len]", "not set")


RULES = (
    Rule(
        id="vllm-media-domains",
        what="A request cannot make vLLM fetch a URL that its sender chose.",
        do="Set VLLM_MEDIA_URL_ALLOW_REDIRECTS to 0. Also set --allowed-media-domains, or a "
        "network policy that "
        "denies egress.",
        theme="egress",
        check=_media,
        needs_all=True,
    ),
    Rule(
        id="vllm-no-dangerous-switches",
        what="Development mode, insecure serialization and runtime LoRA loading are disabled.",
        do="Remove VLLM_SERVER_DEV_MODE, VLLM_ALLOW_INSECURE_SERIALIZATION and "
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING.",
        theme="attack-surface",
        check=each_server(_switched_off),
        needs_all=True,
    ),
    Rule(
        id="vllm-no-debug-endpoints",
        what="vLLM does not serve the profiler, tokenizer details, tool server or API "
        "documentation.",
        do="Set --disable-fastapi-docs and remove the flag that was found.",
        theme="attack-surface",
        check=each_server(_no_debugging),
        needs_all=True,
    ),
    Rule(
        id="vllm-api-key",
        what="vLLM requires an API key, which comes from a Secret.",
        do="Set VLLM_API_KEY with secretKeyRef. The key does not protect every path, so only a "
        "gateway with an "
        "allowlist of paths should reach the port: see vllm-named-callers.",
        theme="authentication",
        check=each_server(_key_from_secret),
        needs_all=True,
    ),
    Rule(
        id="vllm-telemetry-off",
        what="vLLM sends no telemetry.",
        do='Set VLLM_NO_USAGE_STATS and DO_NOT_TRACK to exactly "1".',
        theme="egress",
        check=each_server(_telemetry_off),
        needs_all=True,
    ),
    Rule(
        id="vllm-safetensors",
        what="Weights are loaded from safetensors files, because loading a pickle can run code.",
        do="Set --load-format=safetensors.",
        theme="model-integrity",
        check=each_server(_safetensors),
    ),
    Rule(
        id="vllm-no-prompt-logging",
        what="Neither prompts nor answers are logged.",
        do="Remove the flag or variable that was found.",
        theme="log-content",
        check=all_of(each_server(_no_prompts_logged), _no_prompts_configured),
        needs_all=True,
    ),
    Rule(
        id="vllm-cache-private",
        what="Every pod has its own caches, because vLLM loads code from them without "
        "verification.",
        do="Set VLLM_CACHE_ROOT to a path in an emptyDir, and mount persistent volume claims "
        "read-only.",
        theme="model-integrity",
        check=each_server(_private_caches),
        needs_all=True,
    ),
    Rule(
        id="vllm-service-name",
        what="No Service is named vllm: Kubernetes would then set VLLM_PORT to its address, and "
        "vLLM would not "
        "start (vllm#34199).",
        do="Rename the Service.",
        theme="availability",
        check=_service_name,
    ),
    Rule(
        id="vllm-drains",
        what="A replica finishes its running requests before it stops.",
        do="Set --shutdown-timeout, and set terminationGracePeriodSeconds higher than the sum of "
        "--shutdown-timeout and the preStop sleep.",
        theme="availability",
        check=each_server(_drains),
    ),
    Rule(
        id="vllm-bounded-requests",
        what="The length of a request is limited.",
        do="Set --max-model-len.",
        theme="capacity",
        level=Level.ADVISORY,
        check=each_server(_bounded),
    ),
)
