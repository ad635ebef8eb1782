"""Notes on the figures of an estimate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from breakeven.cost.assumptions import Assumptions
from breakeven.cost.capacity.latency import Objective
from breakeven.cost.notes import (
    AdapterWorkNotCounted,
    ArchitectureUnknown,
    CommitUnknown,
    Disaggregated,
    EngineOlderThanCalibration,
    EngineTooOld,
    EvaluatedOtherwise,
    HoldsRequests,
    MeasuredOtherwise,
    Note,
    NotScraped,
    ObjectiveBound,
    ObjectiveOutOfReach,
    PrecisionNotNative,
    PrefixCacheShare,
    ProcessorsAssumed,
    PurchaseFallback,
    ReservedNodes,
    ScheduledReplicas,
    SpansNodes,
    SparseAttentionUnsupported,
    UnusedPriceOverride,
    UpdateStrategy,
)
from breakeven.cost.report import STALE_DAYS, Report
from breakeven.reports.formatting import counted
from breakeven.reports.sentences.descriptions import (
    capacity_band,
    capacity_method,
    capacity_source,
    traffic_shape,
)
from breakeven.reports.sentences.disaggregation import disaggregation_sentence

_SEVERAL_MODELS = (
    "The break-even volume covers the tokens of all models, in the proportion of the plan.",
    "Hybrid splits and sensitivity are only computed for single-model stacks.",
)

_STALE = (
    f"Stale: over {STALE_DAYS} days old. To fetch current prices for your stacks: "
    "breakeven prices refresh."
)


def report_notes(report: Report) -> tuple[str, ...]:
    """Returns what a reader has to know, each sentence once."""
    models = report.assumptions.models
    several = bool(report.assumptions.others)
    capacities = (_capacity(model, several=several) for model in models)
    shapes = (_shape(model, several=several) for model in models)
    notes = (note_sentence(note) for model in models for note in model.notes)
    joint = _SEVERAL_MODELS if several else ()
    return tuple(dict.fromkeys((*capacities, *shapes, *notes, *joint)))


def _measured_otherwise(note: MeasuredOtherwise) -> str:
    record = f"stacks/measurements/{note.record}"
    if note.changed:
        changed = " and ".join(
            "the engine's image" if name == "image" else name.replace("_", "-")
            for name in note.changed
        )
        return (
            f"{record} was measured with another value of {changed}, so it is not used. Measure "
            "the current replica with breakeven measure."
        )
    return (
        f"{record} was measured with requests of {note.input_tokens:,} / {note.output_tokens:,} "
        "tokens or another cached share, so it is not used for this traffic. Measure with the "
        "stack's lengths: breakeven measure."
    )


def price_sources(report: Report) -> tuple[str, ...]:
    """Returns the sources of the self-hosted prices, newest first, stale ones marked.

    Each source is one line, with what is to be known about its prices. The last line says how to
    refresh stale ones.
    """
    remarks: dict[tuple[date, str], dict[str, None]] = {}
    for as_of, source in sorted(
        {
            (line.as_of, line.source)
            for line in (*report.infrastructure.lines, *report.candidate_lines)
            if line.as_of and not line.private
        },
        reverse=True,
    ):
        name, _, about = source.partition("; ")
        remarks.setdefault((as_of, name), {}).update(
            dict.fromkeys(each for each in about.split("; ") if each)
        )
    lines = tuple(
        f"{as_of.isoformat()}{' (stale)' if report.is_stale(as_of) else ''}: "
        f"{'; '.join((name, *about))}."
        for (as_of, name), about in remarks.items()
    )
    return (*lines, _STALE) if any(report.is_stale(as_of) for as_of, _ in remarks) else lines


def note_sentence(note: Note) -> str:  # noqa: C901, PLR0911, PLR0912  # one kind of note each
    """Says one fact about a deployment."""
    match note:
        case UpdateStrategy():
            return " ".join(_update(note))
        case ObjectiveBound() | ObjectiveOutOfReach():
            return " ".join(_objective(note))
        case EngineOlderThanCalibration(version, oldest):
            return (
                f"engine.image is vLLM {version}, older than all versions that the capacity was "
                f"calibrated on (from {oldest}); it may serve less."
            )
        case PrefixCacheShare():
            return _prefix_cache(note)
        case Disaggregated():
            return disaggregation_sentence(note)
        case SpansNodes(nodes):
            return (
                f"A replica spans {nodes} nodes, which start and stop together; node counts, "
                f"except node-hours, count {nodes} as one."
            )
        case (
            ArchitectureUnknown()
            | CommitUnknown()
            | EngineTooOld()
            | PrecisionNotNative()
            | ProcessorsAssumed()
            | SparseAttentionUnsupported()
        ):
            return _model_sentence(note)
        case AdapterWorkNotCounted():
            return (
                "LoRA adapters are included in the memory of a replica but not in its capacity. "
                "Measure a replica with your adapters and set engine.measuredOutputTokensPerSecond."
            )
        case EvaluatedOtherwise(record, changed):
            differs = " and ".join(name.replace("_", " ") for name in changed)
            return (
                f"stacks/evaluations/{record} was made with another {differs} of this model, so "
                "its pass rates are not used. Evaluate the current model with breakeven evaluate."
            )
        case MeasuredOtherwise():
            return _measured_otherwise(note)
        case ScheduledReplicas(time_zone):
            return (
                "Scheduled replicas are included in the nodes of the estimate, as if the traffic's "
                f"first hour were Monday 0:00 {time_zone}; break-even does not include them."
            )
        case HoldsRequests():
            of_model = f" of {note.model}" if note.model else ""
            return (
                f"While no replica{of_model} is ready, each gateway pod holds up to "
                f"{note.requests} requests that no API may answer, for at least {note.seconds} s; "
                "it rejects further ones with 503 and Retry-After. The simulated week counts all "
                "of them as waiting."
            )
        case NotScraped():
            gateways = ""
            if note.gateway_port is not None:
                gateways = f" and of the gateways (port {note.gateway_port})"
            return (
                "monitoring.enabled is false, so no PodMonitor is created, but KEDA scales on "
                f"metrics in {note.prometheus_address}. Configure that Prometheus to scrape "
                f"/metrics of the replicas (port {note.engine_port}){gateways}, with the label "
                "namespace."
            )
        case ReservedNodes():
            return (
                "Nodes are priced as reserved for the hours that they run. A reservation is paid "
                "for all hours, so set replicas.min to the reserved capacity."
            )
        case PurchaseFallback(first, others):
            return (
                f"Nodes are priced as {first}; if capacity is unavailable, "
                f"{', then '.join(others)} is tried next, at its price."
            )
        case UnusedPriceOverride(identifier, closest):
            near = f" Did you mean {closest}?" if closest else ""
            return f"pricing.overrides has {identifier}, but nothing here uses that price.{near}"


_OBJECTIVES: Mapping[Objective, tuple[str, str]] = {
    "first-token": ("traffic.timeToFirstTokenSeconds", "95% of first tokens"),
    "inter-token": ("traffic.interTokenLatencySeconds", "95% of tokens"),
}


def _model_sentence(
    note: ArchitectureUnknown
    | CommitUnknown
    | EngineTooOld
    | PrecisionNotNative
    | ProcessorsAssumed
    | SparseAttentionUnsupported,
) -> str:
    match note:
        case EngineTooOld(model=model, needed=needed, stated=stated):
            return (
                f"{model} needs vLLM {needed} or newer, and engine.image is {stated}. Choose a "
                "newer image before you deploy."
            )
        case PrecisionNotNative(gpu=gpu, precisions=precisions):
            return (
                f"{gpu} does not support {' and '.join(precisions)}: vLLM multiplies these "
                "weights in bf16, which saves memory but no compute."
            )
        case ProcessorsAssumed(source):
            return (
                f"The model runs on CPUs (pool.gpu: cpu), whose speed is {source}. Measure a "
                "replica and set engine.measuredOutputTokensPerSecond."
            )
        case SparseAttentionUnsupported(model=model, gpu=gpu):
            return (
                f"vLLM cannot run {model} on {gpu}: its kernels for sparse attention need "
                "compute capability 9 or 10 (such as h200 and b200) or an AMD GPU."
            )
        case ArchitectureUnknown(architecture):
            return (
                f"The architecture {architecture} is unknown: its layers are counted like those "
                "of most models, and the capacity has a wider error band."
            )
        case CommitUnknown(repository):
            return (
                f"No commit of {repository} is known. Estimates do not need one, but `pulumi up` "
                "requires model.revision."
            )


def _objective(note: ObjectiveBound | ObjectiveOutOfReach) -> Iterator[str]:
    key, what = _OBJECTIVES[note.objective]
    objective = f"{key} {note.seconds:g}"
    if isinstance(note, ObjectiveOutOfReach):
        yield (
            f"{objective} cannot be met here: with a single request in flight, {what} take up to "
            f"{note.fastest_seconds:.3g} s. The cost is that of one request at a time."
        )
        if note.would_keep:
            yield f"These GPUs would meet it: {', '.join(note.would_keep)}."
        else:
            yield "No widely rented GPU would meet it."
        return
    yield (
        f"{objective} allows {counted(note.requests, 'request')} in flight per replica instead of "
        f"{note.otherwise}; the cost uses that."
    )
    if note.target_requests is not None:
        yield (
            f"Set replicas.targetRequests {note.requests} so that the autoscaler uses it too (its "
            f"target is {note.target_requests})."
        )


def _update(note: UpdateStrategy) -> Iterator[str]:
    if note.kind == "surge":
        source = "one extra node" if note.adds_node else "on a spare GPU"
        yield (
            f"Updates surge: each new replica is ready before an old one drains ({source}); no "
            "capacity is lost."
        )
        return
    hindrance = {
        "one-node-mounts-weights": "only one node can mount the weights (ReadWriteOnce)",
        "no-spare-gpu": "no GPU is spare",
        "no-spare-node": "no node is spare",
        "gpu-quota": f"pool.gpuQuota {note.gpu_quota} has no room for another replica",
        None: "",
    }[note.hindrance]
    if note.kind == "replace":
        yield (
            f"Updates replace one replica at a time, the old one first, because {hindrance}; at "
            f"least {note.replicas - 1} of {note.replicas} replicas keep serving."
        )
        return
    serves = "nothing serves"
    if note.overflows:
        serves = (
            "only the API behind the gateway serves, and requests that must stay inside are "
            "rejected,"
        )
    yield (
        f"Updates stop the only replica before the next one starts, because {hindrance}: {serves} "
        f"for up to {note.gap_minutes} minutes."
    )
    if note.hindrance == "one-node-mounts-weights":
        yield "To avoid that, set weights.accessMode ReadWriteMany, or replicas.min 2 on one node."
    elif note.hindrance == "no-spare-node":
        yield "To avoid that, add a node for one more replica, or set replicas.min 2."
    else:
        yield "To avoid that, add GPUs for one more replica, or set replicas.min 2."


def _capacity(model: Assumptions, *, several: bool) -> str:
    capacity = model.capacity
    of_model = f" of {model.model_name}" if several else ""
    unit = model.load.unit
    parts = f"{capacity.output_tokens_per_second:,.0f} of them output"
    if unit != "request":
        parts = f"which is {capacity.requests_per_second:,.0f} {unit}s"
    return (
        f"One replica{of_model} serves {capacity.total_tokens_per_second:,.0f} tokens per second, "
        f"{parts}, with {counted(capacity.concurrent_requests, unit)} in flight. "
        f"Method: {capacity_method(capacity)}, "
        f"{capacity_band(capacity)} ({capacity_source(capacity)})."
    )


def _shape(model: Assumptions, *, several: bool) -> str:
    of_model = f" of {model.model_name}" if several else ""
    lengths = model.load.lengths_source
    prompts = f" Prompt lengths: {lengths}, scaled to the mean." if lengths else ""
    return f"Weekly traffic shape{of_model}: {traffic_shape(model.load)}.{prompts}"


def _prefix_cache(note: PrefixCacheShare) -> str:
    text = (
        f"Of the {note.reusable:.0%} of the input that could be reused, replicas find "
        f"{note.found:.0%}: "
    )
    spread = "requests with the same beginning go to the same replica"
    if not note.affinity and note.replicas > 1:
        spread = (
            f"a Service spreads requests over {note.replicas} replicas at peak, each with its own "
            "cache"
        )
    hint = (
        ""
        if note.prefix_stated
        else " If all requests share a prefix, set traffic.sharedPrefixTokens."
    )
    return (
        f"{text}{spread}, and {note.kept:.0%} of reuses occur before a full replica needs the "
        f"memory.{hint}"
    )
