"""The pod that serves: vLLM, its flags, probes, room and files."""

from __future__ import annotations

from typing import Any

from pulumi_kubernetes.core.v1 import (
    AffinityArgs,
    ContainerArgs,
    ContainerPortArgs,
    EmptyDirVolumeSourceArgs,
    HTTPGetActionArgs,
    ImageVolumeSourceArgs,
    LifecycleArgs,
    LifecycleHandlerArgs,
    PersistentVolumeClaimVolumeSourceArgs,
    PodAffinityTermArgs,
    PodAntiAffinityArgs,
    PodSpecArgs,
    ProbeArgs,
    ResourceRequirementsArgs,
    SleepActionArgs,
    TolerationArgs,
    TopologySpreadConstraintArgs,
    VolumeArgs,
    VolumeMountArgs,
)
from pulumi_kubernetes.meta.v1 import LabelSelectorArgs, LabelSelectorRequirementArgs

import pulumi
from breakeven.manifests.gpu_pool import Scheduling
from breakeven.manifests.gpu_pool.pool import GPU_RESOURCE
from breakeven.manifests.serving.environment import CACHE, engine_environment, env_vars
from breakeven.manifests.serving.guard import (
    MIDDLEWARE,
    guard_environment,
    guard_hook,
    guard_mount,
    guard_volume,
)
from breakeven.manifests.serving.labels import (
    ENGINE_LABELS,
    ENGINE_PORT,
    ENGINE_PORT_NAME,
    MODEL,
    engine_labels,
)
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.manifests.serving.sizes import engine_cpus, engine_memory_gib, shared_memory_gib
from breakeven.manifests.serving.timings import NODE_LOST, PROBE_PERIOD, Timings
from breakeven.manifests.serving.tracing import tracing_environment
from breakeven.manifests.serving.weights import Weights
from breakeven.settings.stack import Settings

WEIGHTS = "/weights"
ADAPTERS = "/adapters"

_QUIET = "/health,/metrics,/ping"


def engine_flags(settings: Settings, timings: Timings, *, worker: bool = False) -> list[str]:
    """Returns the arguments of `vllm serve`.

    The number of requests in a batch is left to vLLM, which bounds it by the key-value cache that
    it finds room for.

    Args:
        settings: The stack's settings.
        timings: What the pod is given to stop.
        worker: Whether the pod is one of a replica's further nodes, which serves no address.
    """
    model, engine = settings.model, settings.engine
    flags = [
        # An absolute path: with a repository's name several versions ask the hub even when offline.
        f"{WEIGHTS}/{model.revision}",
        f"--served-model-name={model.facts.name}",
        f"--port={ENGINE_PORT}",
        f"--tensor-parallel-size={engine.tensor_parallel}",
        f"--max-model-len={model.max_length}",
        f"--gpu-memory-utilization={engine.gpu_memory_utilization}",
        "--dtype=bfloat16",
        # Never pickled weights, which run code when they are loaded.
        "--load-format=safetensors",
        # Without it vLLM ends running requests at once, and clients take the stump for the answer.
        f"--shutdown-timeout={timings.drain}",
        f"--middleware={MIDDLEWARE}",
        f"--disable-access-log-for-endpoints={_QUIET}",
        "--disable-fastapi-docs",
    ]
    if model.precision == "fp8":
        flags.append("--quantization=fp8")
    if settings.monitoring.tracing_endpoint is not None:
        flags.append(f"--otlp-traces-endpoint={settings.monitoring.tracing_endpoint.url}")
    if engine.pipeline_parallel > 1:
        flags += [
            f"--pipeline-parallel-size={engine.pipeline_parallel}",
            "--distributed-executor-backend=mp",
            f"--nnodes={engine.pipeline_parallel}",
            # Both variables are LeaderWorkerSet's, and the kubelet puts them in.
            "--node-rank=$(LWS_WORKER_INDEX)",
            "--master-addr=$(LWS_LEADER_ADDRESS)",
        ]
    if worker:
        flags.append("--headless")
    return flags + _adapter_flags(settings)


def _adapter_flags(settings: Settings) -> list[str]:
    adapters = settings.model.lora_adapters
    if not adapters:
        return []
    return [
        "--enable-lora",
        f"--max-lora-rank={settings.model.lora_max_rank}",
        # Requests for all of them may share a batch; with fewer places some would wait.
        f"--max-loras={len(adapters)}",
        "--lora-modules",
        *(f"{each.name}={ADAPTERS}/{each.revision}" for each in adapters),
    ]


def engine_pod(  # noqa: PLR0913  # one argument for each thing that the pod needs
    settings: Settings,
    timings: Timings,
    scheduling: Scheduling,
    *,
    service_account: pulumi.Input[str],
    weights: Weights,
    worker: bool = False,
) -> PodSpecArgs:
    """Returns the pod of one replica, or of one node of a replica that spans several.

    Args:
        settings: The stack's settings.
        timings: What the pod is given to start and to stop.
        scheduling: Where GPU nodes are.
        service_account: Account without rights.
        weights: Volumes that hold the weights.
        worker: Whether the pod is one of a replica's further nodes.
    """
    return PodSpecArgs(
        service_account_name=service_account,
        automount_service_account_token=False,
        # A Service called "vllm" would set VLLM_PORT=tcp://…, at which vLLM dies (vllm#34199).
        enable_service_links=False,
        security_context=pod_security(),
        node_selector=dict(scheduling.node_selector),
        tolerations=[*scheduling.tolerations, *_lost_nodes(settings)],
        topology_spread_constraints=[_spread(settings, _HOST), _spread(settings, _ZONE)],
        affinity=_own_nodes(settings),
        termination_grace_period_seconds=timings.grace,
        containers=[(_worker if worker else _container)(settings, timings)],
        volumes=[
            _weights_volume(settings, weights),
            guard_volume(settings),
            *(
                [_read_only("adapters", weights.adapters.volume.metadata.name)]
                if weights.adapters
                else []
            ),
            # Of the pod's own: a cache that others can write is code that others can write.
            VolumeArgs(name="cache", empty_dir=EmptyDirVolumeSourceArgs(size_limit="10Gi")),
            VolumeArgs(name="tmp", empty_dir=EmptyDirVolumeSourceArgs(size_limit="2Gi")),
            VolumeArgs(
                name="shared-memory",
                empty_dir=EmptyDirVolumeSourceArgs(
                    medium="Memory", size_limit=f"{shared_memory_gib(settings)}Gi"
                ),
            ),
        ],
    )


def _lost_nodes(settings: Settings) -> list[TolerationArgs]:
    if not settings.has_spare_gpus:
        return []  # there is nowhere else, and a node that comes back still has its replica
    return [
        TolerationArgs(
            key=f"node.kubernetes.io/{state}",
            operator="Exists",
            effect="NoExecute",
            toleration_seconds=NODE_LOST,
        )
        for state in ("not-ready", "unreachable")
    ]


def _weights_volume(settings: Settings, weights: Weights) -> VolumeArgs:
    if weights.model is not None:
        return _read_only("weights", weights.model.volume.metadata.name)
    if settings.weights.claim is not None:
        return _read_only("weights", settings.weights.claim)
    # Read-only by its nature, and verified by its digest when the node pulls it.
    return VolumeArgs(
        name="weights",
        image=ImageVolumeSourceArgs(
            reference=settings.weights.image or "", pull_policy="IfNotPresent"
        ),
    )


def _read_only(name: str, claim: pulumi.Input[str]) -> VolumeArgs:
    return VolumeArgs(
        name=name,
        persistent_volume_claim=PersistentVolumeClaimVolumeSourceArgs(
            claim_name=claim, read_only=True
        ),
    )


_HOST = "kubernetes.io/hostname"
_ZONE = "topology.kubernetes.io/zone"


def _container(settings: Settings, timings: Timings) -> ContainerArgs:
    return ContainerArgs(
        **_common(settings, timings),
        args=engine_flags(settings, timings),
        ports=[ContainerPortArgs(name=ENGINE_PORT_NAME, container_port=ENGINE_PORT)],
        startup_probe=_probe(PROBE_PERIOD, failures=timings.startup_budget // PROBE_PERIOD),
        readiness_probe=_probe(5, failures=3),
        # A restart costs a whole start, so only a minute of silence leads to one.
        liveness_probe=_probe(PROBE_PERIOD, failures=6),
        lifecycle=guard_hook(timings),
    )


def _worker(settings: Settings, timings: Timings) -> ContainerArgs:
    return ContainerArgs(
        **_common(settings, timings),
        args=engine_flags(settings, timings, worker=True),
        # It stops at once when told to, and the requests of its replica need its layers: so it is
        # told when the leader has ended them.
        lifecycle=LifecycleArgs(
            pre_stop=LifecycleHandlerArgs(
                sleep=SleepActionArgs(seconds=timings.pre_stop + timings.drain)
            )
        ),
    )


def _common(settings: Settings, timings: Timings) -> dict[str, Any]:
    return {
        "name": "vllm",
        "image": settings.engine.image,
        "image_pull_policy": "IfNotPresent",
        "command": ["vllm", "serve"],
        "env": [
            *engine_environment(
                api_key_secret=settings.engine.api_key_secret, ready_seconds=timings.startup_budget
            ),
            *tracing_environment(settings),
            *env_vars(guard_environment(timings)),
        ],
        # NVIDIA's container hook writes into the root file system (KServe's finding).
        "security_context": container_security(read_only_root=False),
        "resources": _resources(settings),
        "volume_mounts": [
            VolumeMountArgs(name="weights", mount_path=WEIGHTS, read_only=True),
            guard_mount(),
            *(
                [VolumeMountArgs(name="adapters", mount_path=ADAPTERS, read_only=True)]
                if settings.model.lora_adapters
                else []
            ),
            VolumeMountArgs(name="cache", mount_path=CACHE),
            VolumeMountArgs(name="tmp", mount_path="/tmp"),  # noqa: S108  # a mount, not a file
            VolumeMountArgs(name="shared-memory", mount_path="/dev/shm"),  # noqa: S108  # as above
        ],
    }


def _resources(settings: Settings) -> ResourceRequirementsArgs:
    gpus = str(settings.engine.tensor_parallel)
    memory = engine_memory_gib(settings)
    return ResourceRequirementsArgs(
        requests={
            "cpu": str(engine_cpus(settings)),
            "memory": f"{memory}Gi",
            "ephemeral-storage": "4Gi",
            GPU_RESOURCE: gpus,
        },
        # Twice the request, for the peak while weights load; the node itself is the harder bound.
        # No CPU limit: it would throttle the threads that feed the GPU.
        # Disk for cache and temporary files, 12 GiB together, and what is written beside them.
        limits={"memory": f"{2 * memory}Gi", "ephemeral-storage": "16Gi", GPU_RESOURCE: gpus},
    )


def _probe(period: int, *, failures: int) -> ProbeArgs:
    # /health asks for no key, /v1/models would; nothing listens before the model is loaded.
    return ProbeArgs(
        http_get=HTTPGetActionArgs(path="/health", port=ENGINE_PORT_NAME),
        period_seconds=period,
        timeout_seconds=5,
        failure_threshold=failures,
    )


def _spread(settings: Settings, topology_key: str) -> TopologySpreadConstraintArgs:
    return TopologySpreadConstraintArgs(
        topology_key=topology_key,
        max_skew=1,
        # DoNotSchedule would make a node autoscaler buy nodes for the sake of symmetry.
        when_unsatisfiable="ScheduleAnyway",
        label_selector=LabelSelectorArgs(match_labels=engine_labels(settings)),
    )


def _own_nodes(settings: Settings) -> AffinityArgs | None:
    """Keeps the models of a stack on nodes of their own, where nodes come and go.

    Sharing one would keep it, and its price, until the last replica of either model has left; nodes
    of a pool of fixed size are paid anyway, and shared.
    """
    if not settings.beside or settings.shares_nodes:
        return None
    other = LabelSelectorArgs(
        match_labels=dict(ENGINE_LABELS),
        match_expressions=[
            LabelSelectorRequirementArgs(key=MODEL, operator="NotIn", values=[settings.name])
        ],
    )
    return AffinityArgs(
        pod_anti_affinity=PodAntiAffinityArgs(
            required_during_scheduling_ignored_during_execution=[
                PodAffinityTermArgs(label_selector=other, topology_key=_HOST)
            ]
        )
    )
