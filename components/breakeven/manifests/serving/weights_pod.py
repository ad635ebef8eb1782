"""The pod that fetches weights, in the engine's image."""

from __future__ import annotations

from typing import Any

from breakeven.manifests.gpu_pool.pool import Pool
from breakeven.manifests.serving.environment import NO_TELEMETRY, env_vars, from_secret
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.manifests.serving.weights_names import Content
from breakeven.settings.stack import Settings

SCRIPT = "fetch_weights.py"
_VOLUME = "/weights"
_SCRATCH = "/scratch"


def weights_pod(  # noqa: PLR0913  # one argument for each object referred to
    settings: Settings,
    pool: Pool,
    content: Content,
    *,
    claim: str,
    script: str,
    service_account: str,
    check: bool,
) -> dict[str, Any]:
    """Returns the pod that fetches what a volume shall hold.

    Args:
        settings: The stack's settings.
        pool: Says on which nodes it may run.
        content: What is fetched.
        claim: The volume.
        script: The ConfigMap with the script.
        service_account: Account of the pod.
        check: Only see whether all would arrive.
    """
    return {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",  # pods that failed stay, with their logs
        "securityContext": pod_security(),
        "nodeSelector": dict(pool.weights_scheduling.node_selector),
        "tolerations": pool.weights_scheduling.tolerations,
        "containers": [
            _container(
                settings,
                f"fetch-{content.title}{number or ''}",
                [
                    f"--repository={repository}",
                    f"--revision={revision}",
                    f"--directory={_VOLUME}",
                    *(f"--file={file.address}#sha256={file.sha256}" for file in content.further),
                    *(_architecture(settings, content) if number == 0 else []),
                    *(["--check"] if check else []),
                ],
            )
            for number, (repository, revision) in enumerate(content.sources)
        ],
        "volumes": [
            {
                "name": "weights",
                "persistentVolumeClaim": {"claimName": claim},
            },
            {"name": "script", "configMap": {"name": script}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "2Gi"}},
        ],
    }


def _architecture(settings: Settings, content: Content) -> list[str]:
    """What vLLM has built in, as far as it is known: a class that is counted here by its name."""
    facts = settings.model.facts
    if facts.is_estimated or not content.is_model:
        return []
    return [f"--architecture={facts.architecture}"]


def _container(settings: Settings, name: str, arguments: list[str]) -> dict[str, Any]:
    token = settings.weights.hub_token_secret
    return {
        "name": name,
        # The engine's image has the hub's library: one image less to mirror and to trust.
        "image": settings.engine.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", f"/script/{SCRIPT}"],
        "args": arguments,
        "env": [
            *env_vars(
                {
                    **NO_TELEMETRY,
                    "HOME": _SCRATCH,
                    "HF_HOME": f"{_SCRATCH}/huggingface",
                    "TMPDIR": _SCRATCH,
                    # Plain downloads go on where they stopped, in little memory.
                    "HF_HUB_DISABLE_XET": "1",
                    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                    # Its warnings repeat addresses with their signatures.
                    "HF_HUB_VERBOSITY": "error",
                }
            ),
            *([from_secret("HF_TOKEN", secret=token, key="token")] if token else []),
        ],
        "securityContext": container_security(read_only_root=True),
        "resources": {
            "requests": {"cpu": "1", "memory": "2Gi", "ephemeral-storage": "1Gi"},
            "limits": {"memory": "4Gi", "ephemeral-storage": "3Gi"},
        },
        # The last lines of its log are then in the pod's status, which Pulumi shows when it fails.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": "weights", "mountPath": _VOLUME},
            {"name": "script", "mountPath": "/script", "readOnly": True},
            {"name": "scratch", "mountPath": _SCRATCH},
        ],
    }
