"""Facts about a deployment that a reader of its estimate has to know; reports say them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from breakeven.cost.capacity.latency import Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateStrategy:
    """How replicas are replaced when model or engine change.

    Attributes:
        kind: "surge" starts each new replica before the old one stops; "replace" stops one of
            several first; "stop" stops the only one.
        adds_node: Whether a surge adds a node; else a GPU is spare.
        replicas: Replicas that run at least.
        hindrance: Why there is no surge: only one node can mount the weights, no GPU or node is
            spare, or the GPU quota is used up; None for a surge.
        gpu_quota: The quota, where that is the hindrance.
        gap_minutes: For how long no replica may serve; 0 if one always does.
        overflows: Whether a gateway sends requests to an API meanwhile.
    """

    kind: Literal["surge", "replace", "stop"]
    adds_node: bool
    replicas: int
    hindrance: (
        Literal["one-node-mounts-weights", "no-spare-gpu", "no-spare-node", "gpu-quota"] | None
    )
    gpu_quota: int | None
    gap_minutes: int
    overflows: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveBound:
    """A latency objective lets a replica run fewer requests at once than it could.

    Attributes:
        objective: Which.
        seconds: Its limit.
        requests: In flight, that keep it.
        otherwise: In flight, without it.
        target_requests: What the autoscaler aims at; None without one.
    """

    objective: Objective = field(kw_only=False)
    seconds: float
    requests: int
    otherwise: int
    target_requests: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveOutOfReach:
    """Not even a single request keeps a latency objective.

    Attributes:
        objective: Which.
        seconds: Its limit.
        fastest_seconds: What one request at a time takes.
        would_keep: What would, such as "fp8 on 1 x h100"; empty for nothing in the catalog.
    """

    objective: Objective = field(kw_only=False)
    seconds: float
    fastest_seconds: float
    would_keep: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineOlderThanCalibration:
    """The stack's vLLM is older than all whose measurements its capacity rests on.

    Attributes:
        version: Of the stack, such as "0.18".
        oldest: Of the measurements.
    """

    version: str
    oldest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixCacheShare:
    """Replicas find less in their prefix caches than the traffic could reuse.

    Attributes:
        reusable: Share of the input that could be reused.
        found: Share that is counted.
        replicas: Over which requests are spread.
        kept: Share of reuses that come before their place is taken.
        affinity: Whether requests that begin alike go to the same replica.
        prefix_stated: Whether the stack states how much all requests share.
    """

    reusable: float
    found: float
    replicas: int
    kept: float
    affinity: bool
    prefix_stated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disaggregated:
    """Prefill and decode are on separate replicas, of which nobody has measured what they serve.

    Attributes:
        prefill: Replicas that only process prompts.
        decode: Replicas that only generate.
        transfer_seconds: Of a mean prompt's KV cache between them.
        handover_seconds: Until the first token, in addition.
    """

    prefill: int
    decode: int
    transfer_seconds: float
    handover_seconds: float


@dataclass(frozen=True, slots=True)
class SpansNodes:
    """A replica spans several nodes, which start and stop together."""

    nodes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTooOld:
    """The engine's version is older than the model needs.

    Attributes:
        model: Name of the model.
        needed: Oldest version of vLLM that serves it, as text.
        stated: Version of the engine's image.
    """

    model: str
    needed: str
    stated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionNotNative:
    """The GPU has no units for the precision of weights: it saves memory, not compute.

    Attributes:
        gpu: Name of the GPU.
        precisions: Those of the weights that it has no units for.
    """

    gpu: str
    precisions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProcessorsAssumed:
    """The processors of a node serve, and what they can do is assumed.

    Attributes:
        source: What is assumed, and from where.
    """

    source: str


@dataclass(frozen=True, slots=True)
class SparseAttentionUnsupported:
    """The GPU has no kernels for the model's sparse attention: vLLM does not start.

    Attributes:
        model: Name of the model.
        gpu: Name of the GPU.
    """

    model: str
    gpu: str


@dataclass(frozen=True, slots=True)
class ArchitectureUnknown:
    """The model's layers are counted as those of most models."""

    architecture: str


@dataclass(frozen=True, slots=True)
class CommitUnknown:
    """No commit of the weights is known; a deployment requires one."""

    repository: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredOtherwise:
    """The replica was measured with another engine or flag, or with requests of other lengths.

    Attributes:
        record: Name of the record's file.
        changed: What of the engine differs: "image" and names of flags; empty if only the
            lengths do.
        input_tokens: Of the measured requests.
        output_tokens: Of the measured requests.
    """

    record: str
    changed: tuple[str, ...]
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class EvaluatedOtherwise:
    """The model was evaluated with another revision or precision, by this record."""

    record: str
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdapterWorkNotCounted:
    """LoRA adapters are in the memory of a replica, but their work is not in its capacity."""


@dataclass(frozen=True, slots=True)
class ScheduledReplicas:
    """A schedule in this time zone is in the nodes of the estimate."""

    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldsRequests:
    """From zero replicas, each pod of the gateway holds requests that no API may answer.

    Attributes:
        requests: At once, at most.
        seconds: At least so long, if no replica becomes ready.
        model: Whose requests; None in a stack of one model.
    """

    requests: int
    seconds: int
    model: str | None


@dataclass(frozen=True, slots=True)
class NotScraped:
    """Monitoring is off, so whoever runs Prometheus has to scrape these ports.

    Attributes:
        prometheus_address: Where the autoscaler asks.
        engine_port: Of the replicas.
        gateway_port: Of the gateways; None if the autoscaler does not need them.
    """

    prometheus_address: str
    engine_port: int
    gateway_port: int | None


@dataclass(frozen=True, slots=True)
class ReservedNodes:
    """Nodes are priced as reserved, for the hours that they run."""


@dataclass(frozen=True, slots=True)
class PurchaseFallback:
    """Nodes are priced by the first purchase; the others follow if it is unavailable."""

    first: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnusedPriceOverride:
    """A stated price that nothing is priced by, and the closest identifier; empty for none."""

    identifier: str
    closest: str


Note: TypeAlias = (
    UpdateStrategy
    | ObjectiveBound
    | ObjectiveOutOfReach
    | EngineOlderThanCalibration
    | PrefixCacheShare
    | Disaggregated
    | SpansNodes
    | AdapterWorkNotCounted
    | EvaluatedOtherwise
    | MeasuredOtherwise
    | ArchitectureUnknown
    | CommitUnknown
    | EngineTooOld
    | PrecisionNotNative
    | ProcessorsAssumed
    | SparseAttentionUnsupported
    | ScheduledReplicas
    | HoldsRequests
    | NotScraped
    | ReservedNodes
    | PurchaseFallback
    | UnusedPriceOverride
)
