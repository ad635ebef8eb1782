"""The Kubernetes objects of one step of a measurement, as plain data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from breakeven.manifests.serving.labels import ENGINE_LABELS, ENGINE_PORT, MODEL
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.manifests.templates import CHARTS
from breakeven.policy.manifest import at, listed

LABELS: Mapping[str, str] = {
    "app.kubernetes.io/name": "guidellm",
    "app.kubernetes.io/component": "measurement",
    "app.kubernetes.io/part-of": "breakeven",
}
CONTAINER = "guidellm"
KEPT_SECONDS = 600
"""How long a Job that nobody has removed stays after its end; everything else goes with it."""

_SCRIPT = "generate_load.py"
_MOUNT = "/measure"
_KEY = "/key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one Job does.

    Attributes:
        name: Of all its objects.
        namespace: Of the stack.
        model: Value of the label `MODEL` of the measured model.
        image: With guidellm, by digest.
        engine: Pod template of the engine: its weights hold the tokenizer.
        node: Node to run on; empty for any.
        configuration: Of guidellm, without the key.
        seconds: That it may take.
    """

    name: str
    namespace: str
    model: str
    image: str
    engine: Mapping[str, Any]
    node: str
    configuration: Mapping[str, Any]
    seconds: int


def weights_of(engine: Mapping[str, Any]) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    """Returns where the engine finds its weights: folder, volume, and mount.

    Args:
        engine: Specification of a pod that serves.

    Raises:
        LookupError: Its weights are in no volume.
    """
    [container] = [each for each in engine["containers"] if each["name"] == "vllm"]
    folder = str(container["args"][0])
    mounts = [
        mount
        for mount in container["volumeMounts"]
        if f"{folder}/".startswith(f"{mount['mountPath']}/")
    ]
    if not mounts:
        raise LookupError(folder)
    mount = max(mounts, key=lambda each: len(each["mountPath"]))
    [volume] = [each for each in engine["volumes"] if each["name"] == mount["name"]]
    return folder, volume, {**mount, "readOnly": True}


def job(step: Step) -> dict[str, Any]:
    """Returns the Job: one restricted pod, no second try, and an end that it keeps by itself."""
    metadata = {"name": step.name, "namespace": step.namespace, "labels": _labels(step)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": step.seconds,
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {
                "metadata": {
                    "labels": _labels(step),
                    "annotations": {"karpenter.sh/do-not-disrupt": "true"},
                },
                "spec": _pod(step),
            },
        },
    }


def further_objects(step: Step, owner: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the ConfigMap and the network rules; they are removed with the Job.

    Args:
        step: What the Job does.
        owner: The Job as the API server returned it.
    """
    metadata = {
        "namespace": step.namespace,
        "labels": _labels(step),
        "ownerReferences": [
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "name": step.name,
                "uid": owner["metadata"]["uid"],
            }
        ],
    }
    yield {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**metadata, "name": step.name},
        "data": {
            "run.json": json.dumps(step.configuration),
            _SCRIPT: (CHARTS / "measurement" / _SCRIPT).read_text(encoding="utf-8"),
        },
    }
    measured, engine = _labels(step), {**ENGINE_LABELS, MODEL: step.model}
    # By address, so that it asks for no name; from this pod, and from no other of the namespace.
    yield _policy(metadata, step.name, measured, egress=[_opened("to", engine)])
    yield _policy(metadata, f"{step.name}-in", engine, ingress=[_opened("from", measured)])


def _labels(step: Step) -> dict[str, str]:
    return {**LABELS, MODEL: step.name}


def _pod(step: Step) -> dict[str, Any]:
    _, weights, mount = weights_of(step.engine)
    secret = _key_secret(step.engine)
    tolerations = listed(step.engine.get("tolerations")) if step.node else ()
    spec: dict[str, Any] = {
        "serviceAccountName": step.engine["serviceAccountName"],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": pod_security(),
        "containers": [_container(step, mount, has_key=bool(secret))],
        "volumes": [
            dict(weights),
            {"name": "measurement", "configMap": {"name": step.name}},
            *([{"name": "key", "secret": secret}] if secret else []),
            {"name": "scratch", "emptyDir": {"sizeLimit": "2Gi"}},
        ],
    }
    if tolerations:
        spec["tolerations"] = list(tolerations)
    if step.node:
        spec["affinity"] = _on(step.node)
    if step.engine.get("imagePullSecrets"):
        spec["imagePullSecrets"] = list(step.engine["imagePullSecrets"])
    return spec


def _container(step: Step, weights: Mapping[str, Any], *, has_key: bool) -> dict[str, Any]:
    environment: list[dict[str, Any]] = [
        {"name": name, "value": value}
        for name, value in {
            "HOME": "/tmp",  # noqa: S108  # an emptyDir of the pod
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "DO_NOT_TRACK": "1",
            "USER": CONTAINER,
            "LOGNAME": CONTAINER,
        }.items()
    ]
    return {
        "name": CONTAINER,
        "image": step.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", f"{_MOUNT}/{_SCRIPT}"],
        "env": environment,
        "resources": {
            "requests": {"cpu": "500m", "memory": "2Gi", "ephemeral-storage": "1Gi"},
            "limits": {"cpu": "4", "memory": "2Gi", "ephemeral-storage": "3Gi"},
        },
        "securityContext": container_security(read_only_root=True),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            dict(weights),
            {"name": "measurement", "mountPath": _MOUNT, "readOnly": True},
            *([{"name": "key", "mountPath": _KEY, "readOnly": True}] if has_key else []),
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108  # an emptyDir of the pod
        ],
    }


def _key_secret(engine: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the volume with the engine's key as a file; nothing where it asks for none."""
    [container] = [each for each in engine["containers"] if each["name"] == "vllm"]
    for variable in container["env"]:
        found = at(variable, "valueFrom", "secretKeyRef")
        if variable["name"] == "VLLM_API_KEY" and found:
            items = [{"key": found["key"], "path": "key"}]
            return {"secretName": found["name"], "items": items, "defaultMode": 0o440}
    return {}


def _on(node: str) -> dict[str, Any]:
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def _opened(side: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        side: [{"podSelector": {"matchLabels": dict(labels)}}],
        "ports": [{"port": ENGINE_PORT, "protocol": "TCP"}],
    }


def _policy(
    metadata: Mapping[str, Any],
    name: str,
    labels: Mapping[str, str],
    *,
    ingress: Sequence[Mapping[str, Any]] = (),
    egress: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {**metadata, "name": name},
        "spec": {
            "podSelector": {"matchLabels": dict(labels)},
            "policyTypes": ["Ingress", "Egress"],
            **({"ingress": list(ingress)} if ingress else {}),
            **({"egress": list(egress)} if egress else {}),
        },
    }
