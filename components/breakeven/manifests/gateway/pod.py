"""The gateway's pod: LiteLLM with our policy beside it."""

from __future__ import annotations

from pulumi_kubernetes.core.v1 import (
    ConfigMapVolumeSourceArgs,
    ContainerArgs,
    ContainerPortArgs,
    EmptyDirVolumeSourceArgs,
    HTTPGetActionArgs,
    KeyToPathArgs,
    LifecycleArgs,
    LifecycleHandlerArgs,
    PodSpecArgs,
    ProbeArgs,
    ResourceRequirementsArgs,
    SecretVolumeSourceArgs,
    SleepActionArgs,
    TopologySpreadConstraintArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs

import pulumi
from breakeven.manifests.gateway.configuration import KEYS_FOLDER, MODULES
from breakeven.manifests.gateway.labels import (
    GATEWAY_LABELS,
    GATEWAY_PORT,
    GATEWAY_PORT_NAME,
    METRICS_PORT,
    METRICS_PORT_NAME,
)
from breakeven.manifests.serving.environment import NO_TELEMETRY, env_vars, from_secret
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.manifests.serving.timings import EXIT_MARGIN, PRE_STOP
from breakeven.settings.groups import GatewaySettings
from breakeven.settings.stack import Settings

CONFIGURATION = "litellm.yaml"
POLICY = "policy.json"

_CONFIGURATION_FOLDER = "/etc/gateway"
_POLICY_FOLDER = "/opt/gateway"
_SCRATCH = "/tmp"  # noqa: S108  # a mount of the pod's own


def gateway_pod(
    settings: Settings,
    gateway: GatewaySettings,
    *,
    service_account: pulumi.Input[str],
    config: pulumi.Input[str],
) -> PodSpecArgs:
    """Returns the pod of one gateway.

    Args:
        settings: The stack's settings.
        gateway: Its gateway.
        service_account: Account without rights.
        config: ConfigMap with configuration, rules and policy.
    """
    return PodSpecArgs(
        service_account_name=service_account,
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=pod_security(),
        topology_spread_constraints=[
            TopologySpreadConstraintArgs(
                topology_key=key,
                max_skew=1,
                when_unsatisfiable="ScheduleAnyway",
                label_selector=LabelSelectorArgs(match_labels=dict(GATEWAY_LABELS)),
            )
            for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        # As long as the longest answer may take: a stopping gateway ends what it began.
        termination_grace_period_seconds=PRE_STOP
        + _longest_answer(settings, gateway)
        + EXIT_MARGIN,
        containers=[_container(settings, gateway)],
        volumes=[
            _files("configuration", config, CONFIGURATION),
            _files("policy", config, POLICY, *MODULES),
            VolumeArgs(
                name="team-keys",
                secret=SecretVolumeSourceArgs(
                    secret_name=gateway.team_keys_secret, default_mode=0o440
                ),
            ),
            VolumeArgs(name="scratch", empty_dir=EmptyDirVolumeSourceArgs(size_limit="1Gi")),
        ],
    )


def _longest_answer(settings: Settings, gateway: GatewaySettings) -> int:
    own = settings.engine.longest_request_seconds
    return own if settings.overflow_api is None else max(own, gateway.overflow.timeout_seconds)


def _container(settings: Settings, gateway: GatewaySettings) -> ContainerArgs:
    return ContainerArgs(
        name="litellm",
        image=gateway.image,
        image_pull_policy="IfNotPresent",
        command=["litellm"],
        args=[
            f"--config={_CONFIGURATION_FOLDER}/{CONFIGURATION}",
            "--host=0.0.0.0",
            f"--port={GATEWAY_PORT}",
            # One: the policy counts in memory, and more pods do what more processes would.
            "--num_workers=1",
        ],
        env=[
            *env_vars(environment()),
            from_secret("LITELLM_MASTER_KEY", secret=gateway.secret, key="master-key"),
            from_secret("STORE_PASSWORD", secret=gateway.secret, key="store-password"),
            from_secret("OWN_API_KEY", secret=settings.engine.api_key_secret, key="api-key"),
            *(
                [from_secret("OVERFLOW_API_KEY", secret=gateway.overflow.key_secret, key="api-key")]
                if settings.overflow_api is not None
                else []
            ),
        ],
        ports=[
            ContainerPortArgs(name=GATEWAY_PORT_NAME, container_port=GATEWAY_PORT),
            ContainerPortArgs(name=METRICS_PORT_NAME, container_port=METRICS_PORT),
        ],
        security_context=container_security(read_only_root=True),
        # 0.37 GiB seen after the start; no CPU limit, which would throttle streams.
        resources=ResourceRequirementsArgs(
            requests={"cpu": "1", "memory": "1Gi", "ephemeral-storage": "1Gi"},
            limits={"memory": "2Gi", "ephemeral-storage": "3Gi"},
        ),
        startup_probe=_probe("/health/liveliness", period=5, failures=36),
        readiness_probe=_probe("/health/readiness", period=5, failures=3),
        liveness_probe=_probe("/health/liveliness", period=10, failures=6),
        lifecycle=LifecycleArgs(
            pre_stop=LifecycleHandlerArgs(sleep=SleepActionArgs(seconds=PRE_STOP))
        ),
        volume_mounts=[
            VolumeMountArgs(name="configuration", mount_path=_CONFIGURATION_FOLDER, read_only=True),
            # Not beside the configuration: LiteLLM would load a module that it finds there once
            # for each place that names it, and the policy would be there twice.
            VolumeMountArgs(name="policy", mount_path=_POLICY_FOLDER, read_only=True),
            VolumeMountArgs(name="team-keys", mount_path=KEYS_FOLDER, read_only=True),
            VolumeMountArgs(name="scratch", mount_path=_SCRATCH),
        ],
    )


def environment() -> dict[str, str]:
    """Returns the gateway's plain variables: nothing asked outside, no pages, no telemetry."""
    return {
        **NO_TELEMETRY,
        "PYTHONPATH": _POLICY_FOLDER,
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": _SCRATCH,
        "XDG_CACHE_HOME": _SCRATCH,
        # Else it asks GitHub for its table of prices when it starts.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # Else it asks the hub for a tokenizer, and stands still for 23 s where it has none (seen).
        "HF_HUB_OFFLINE": "1",
        "DISABLE_ADMIN_UI": "True",
        "NO_DOCS": "True",
        "NO_REDOC": "True",
        "LITELLM_LOG": "WARNING",
    }


def _files(name: str, config: pulumi.Input[str], *files: str) -> VolumeArgs:
    return VolumeArgs(
        name=name,
        config_map=ConfigMapVolumeSourceArgs(
            name=config, items=[KeyToPathArgs(key=file, path=file) for file in files]
        ),
    )


def _probe(path: str, *, period: int, failures: int) -> ProbeArgs:
    return ProbeArgs(
        http_get=HTTPGetActionArgs(path=path, port=GATEWAY_PORT_NAME),
        period_seconds=period,
        timeout_seconds=5,
        failure_threshold=failures,
    )
