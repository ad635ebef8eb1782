"""The pod that serves: vLLM, its flags, probes, room and files."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any

from breakeven.manifests.gpu_pool.pool import Scheduling
from breakeven.manifests.resource import stated
from breakeven.manifests.serving.environment import CACHE, engine_environment, env_vars
from breakeven.manifests.serving.guard import (
    MIDDLEWARE,
    guard_environment,
    guard_hook,
    guard_mount,
    guard_volume,
)
from breakeven.manifests.serving.labels import (
    ENGINE_PORT,
    ENGINE_PORT_NAME,
)
from breakeven.manifests.serving.parsers import parser_flags
from breakeven.manifests.serving.placement import lost_nodes, own_nodes, spread
from breakeven.manifests.serving.security import container_security, pod_security
from breakeven.manifests.serving.sizes import (
    engine_cpus,
    engine_memory_gib,
    processor_cache_bytes,
    shared_memory_gib,
)
from breakeven.manifests.serving.techniques import (
    media_flags,
    parallel_flags,
    pooling_flags,
    technique_flags,
)
from breakeven.manifests.serving.timings import PROBE_PERIOD, Timings, timings_of
from breakeven.manifests.serving.tracing import tracing_environment
from breakeven.manifests.serving.weights import Weights
from breakeven.settings.stack import Settings
from breakeven.settings.vllm.arguments import as_flags

WEIGHTS = "/weights"
ADAPTERS = "/adapters"
CERTIFICATE = "/certificate"

_QUIET = "/health,/metrics,/ping"


def _memory_flag(settings: Settings) -> str:
    """Returns the engine's memory limit: a share of a GPU's memory, or bytes of the node's.

    On CPUs, vLLM takes a share of the machine's whole memory, regardless of other pods.
    """
    if settings.pool.gpu.is_cpu:
        return f"--kv-cache-memory-bytes={processor_cache_bytes(settings)}"
    return f"--gpu-memory-utilization={_memory_utilization(settings)}"


def _memory_utilization(settings: Settings) -> Decimal:
    """Returns the share of the visible memory that the engine may take, rounded down."""
    share = settings.engine.gpu_memory_utilization
    seen = Decimal(settings.pool.gpu.visible_memory_share)
    return share if seen == 1 else (share * seen).quantize(Decimal("0.001"), ROUND_DOWN)


def engine_flags(settings: Settings, timings: Timings, *, worker: bool = False) -> list[str]:
    """Returns the arguments of `vllm serve`.

    Unless the stack states it, the number of requests in a batch is left to vLLM, which bounds it
    by the key-value cache that it finds room for.

    Args:
        settings: The stack's settings.
        timings: Time that the pod has to stop.
        worker: Whether the pod is one of a replica's further nodes, which serves no address.
    """
    model, engine = settings.model, settings.engine
    flags = [
        # An absolute path: with a repository's name several versions ask the hub even when offline.
        f"{WEIGHTS}/{model.revision}",
        f"--served-model-name={model.facts.name}",
        f"--port={ENGINE_PORT}",
        *parallel_flags(settings),
        f"--max-model-len={model.max_length}",
        _memory_flag(settings),
        f"--dtype={'bfloat16' if settings.pool.gpu.has_bf16 else 'float16'}",
        # Never pickled weights, which run code when they are loaded.
        "--load-format=safetensors",
        # Without it vLLM ends running requests at once, and clients take the stump for the answer.
        f"--shutdown-timeout={timings.drain}",
        f"--middleware={MIDDLEWARE}",
        f"--disable-access-log-for-endpoints={_QUIET}",
        "--disable-fastapi-docs",
    ]
    if model.quantizes_while_loading:
        flags.append("--quantization=fp8")
    if settings.network.tls_secret is not None and not worker:
        flags += [
            f"--ssl-certfile={CERTIFICATE}/tls.crt",
            f"--ssl-keyfile={CERTIFICATE}/tls.key",
            # A renewed certificate is read without a restart.
            "--enable-ssl-refresh",
        ]
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
    flags += pooling_flags(settings)
    if worker:
        flags.append("--headless")
    else:
        flags += parser_flags(settings)
    return [
        *flags,
        *technique_flags(settings, WEIGHTS),
        *media_flags(settings),
        *_adapter_flags(settings),
        *as_flags(settings.engine.args),
    ]


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
    service_account: str,
    weights: Weights,
    worker: bool = False,
) -> dict[str, Any]:
    """Returns the pod of one replica, or of one node of a replica that spans several.

    Args:
        settings: The stack's settings.
        timings: Time that the pod has to start and to stop.
        scheduling: Scheduling on GPU nodes.
        service_account: Account without rights.
        weights: Volumes that hold the weights.
        worker: Whether the pod is one of a replica's further nodes.
    """
    pod = {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": False,
        # A Service called "vllm" would set VLLM_PORT=tcp://…, at which vLLM dies (vllm#34199).
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "nodeSelector": dict(scheduling.node_selector),
        "tolerations": [*scheduling.tolerations, *lost_nodes(settings)],
        "topologySpreadConstraints": spread(settings),
        "affinity": own_nodes(settings),
        "terminationGracePeriodSeconds": timings.grace,
        "containers": [(_worker if worker else _container)(settings, timings)],
        "volumes": [
            _weights_volume(settings, weights),
            guard_volume(settings),
            *([_read_only("adapters", weights.adapters.claim)] if weights.adapters else []),
            *_certificate_volume(settings),
            # Of the pod's own: a cache that others can write is code that others can write.
            {"name": "cache", "emptyDir": {"sizeLimit": "10Gi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "2Gi"}},
            {
                "name": "shared-memory",
                "emptyDir": {"medium": "Memory", "sizeLimit": f"{shared_memory_gib(settings)}Gi"},
            },
        ],
    }
    return stated(pod)


def _weights_volume(settings: Settings, weights: Weights) -> dict[str, Any]:
    if weights.model is not None:
        return _read_only("weights", weights.model.claim)
    if settings.weights.claim is not None:
        return _read_only("weights", settings.weights.claim)
    # Read-only by its nature, and verified by its digest when the node pulls it.
    return {
        "name": "weights",
        "image": {"reference": settings.weights.image or "", "pullPolicy": "IfNotPresent"},
    }


def _certificate_volume(settings: Settings) -> list[dict[str, Any]]:
    secret = settings.network.tls_secret
    if secret is None:
        return []
    # For the pod's group, whose user is none of the files' owners.
    return [{"name": "certificate", "secret": {"secretName": secret, "defaultMode": 0o440}}]


def _read_only(name: str, claim: str) -> dict[str, Any]:
    return {
        "name": name,
        "persistentVolumeClaim": {"claimName": claim, "readOnly": True},
    }


def _container(settings: Settings, timings: Timings) -> dict[str, Any]:
    return {
        **_common(settings, timings),
        "args": engine_flags(settings, timings),
        "ports": [{"name": ENGINE_PORT_NAME, "containerPort": ENGINE_PORT}],
        "startupProbe": _probe(
            settings, PROBE_PERIOD, failures=timings.startup_budget // PROBE_PERIOD
        ),
        "readinessProbe": _probe(settings, 5, failures=3),
        # A restart takes as long as a start, so only a minute without an answer causes one.
        "livenessProbe": _probe(settings, PROBE_PERIOD, failures=6),
        "lifecycle": guard_hook(timings),
    }


def _worker(settings: Settings, timings: Timings) -> dict[str, Any]:
    return {
        **_common(settings, timings),
        "args": engine_flags(settings, timings, worker=True),
        # It stops at once when told to, and the requests of its replica need its layers: so it is
        # told when the leader has ended them.
        "lifecycle": {"preStop": {"sleep": {"seconds": timings.pre_stop + timings.drain}}},
    }


def _common(settings: Settings, timings: Timings) -> dict[str, Any]:
    return {
        "name": "vllm",
        "image": settings.engine.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["vllm", "serve"],
        "env": [*_environment(settings, timings), *env_vars(settings.engine.env)],
        # NVIDIA's container hook writes into the root file system (KServe's finding).
        "securityContext": container_security(read_only_root=False),
        "resources": _resources(settings),
        "volumeMounts": [
            {"name": "weights", "mountPath": WEIGHTS, "readOnly": True},
            guard_mount(),
            *(
                [{"name": "adapters", "mountPath": ADAPTERS, "readOnly": True}]
                if settings.model.lora_adapters
                else []
            ),
            *(
                [{"name": "certificate", "mountPath": CERTIFICATE, "readOnly": True}]
                if settings.network.tls_secret is not None
                else []
            ),
            {"name": "cache", "mountPath": CACHE},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  # a mount, not a file
            {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108  # as above
        ],
    }


def _vocabulary_environment(settings: Settings) -> dict[str, str]:
    """Returns the variables with the vocabulary's folder, which would otherwise be fetched."""
    model = settings.model
    if not model.facts.fetches_vocabulary:
        return {}
    return {"TIKTOKEN_ENCODINGS_BASE": f"{WEIGHTS}/{model.revision}"}


def own_variables(settings: Settings) -> frozenset[str]:
    """Returns the names of the variables that the engine has before those of `engine.env`."""
    return frozenset(entry["name"] for entry in _environment(settings, timings_of(settings)))


def _environment(settings: Settings, timings: Timings) -> list[dict[str, Any]]:
    return [
        *engine_environment(
            api_key_secret=settings.engine.api_key_secret, ready_seconds=timings.startup_budget
        ),
        *env_vars(_vocabulary_environment(settings)),
        *tracing_environment(settings),
        *env_vars(guard_environment(timings)),
    ]


def _resources(settings: Settings) -> dict[str, Any]:
    device = settings.pool.gpu.device_resource
    gpus = {device: str(settings.engine.tensor_parallel)} if device else {}
    memory = engine_memory_gib(settings)
    return {
        "requests": {
            "cpu": str(engine_cpus(settings)),
            "memory": f"{memory}Gi",
            "ephemeral-storage": "4Gi",
            **gpus,
        },
        # Twice the request, for the peak while weights load; the node itself is the harder bound.
        # No CPU limit: it would throttle the threads that feed the GPU.
        # Disk for cache and temporary files, 12 GiB together, and what else is written.
        "limits": {"memory": f"{2 * memory}Gi", "ephemeral-storage": "16Gi", **gpus},
    }


def _probe(settings: Settings, period: int, *, failures: int) -> dict[str, Any]:
    # /health asks for no key, /v1/models would; nothing listens before the model is loaded.
    asked: dict[str, Any] = {"path": "/health", "port": ENGINE_PORT_NAME}
    if settings.network.tls_secret is not None:
        asked["scheme"] = "HTTPS"  # the kubelet does not check the certificate
    return {
        "httpGet": asked,
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
