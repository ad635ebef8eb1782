"""What is served, on what, and for which traffic."""

from __future__ import annotations

from collections.abc import Sequence

from breakeven.catalog.price_regions import ANY
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.bill.node_cost import OwnedNode
from breakeven.cost.capacity.calibration import TRANSFERRED
from breakeven.cost.capacity.capacity import ReplicaCapacity
from breakeven.cost.demand.load import FLAT, Load, Unit
from breakeven.reports.formatting import counted, volume
from breakeven.reports.sentences.units import measured_speed

_MOST_ENGINES = 3


def served_model(assumptions: Assumptions) -> str:
    """Names the model, its precision, its replicas and their GPUs."""
    engine, fleet = assumptions.engine, assumptions.fleet
    replicas = counted(fleet.highest, "replica")
    if fleet.lowest != fleet.highest:
        replicas = f"{fleet.lowest} to {fleet.highest} replicas"
    gpus = f"{engine.tensor_parallel} x {engine.gpu.name}"
    if engine.pipeline_parallel > 1:
        gpus = f"{engine.pipeline_parallel} nodes x {gpus}"
    return f"{engine.model.name} in {engine.precision}, {replicas} of {gpus}"


def served_on(assumptions: Assumptions) -> str:
    """Names the model, the nodes that it runs on, and where they are."""
    return f"{served_model(assumptions)} on {node_name(assumptions)}{place(assumptions)}"


def place(assumptions: Assumptions) -> str:
    """Names cloud and region, such as " in aws us-east-1"; empty for an own data center."""
    if assumptions.cloud == "none":
        return ""
    region = "" if assumptions.region in {"", ANY} else f" {assumptions.region}"
    return f" in {assumptions.cloud}{region}"


def node_name(assumptions: Assumptions) -> str:
    """Names a node and how it is paid, such as "g6e.xlarge, on-demand"."""
    node = assumptions.node
    gpu = assumptions.engine.gpu
    gpus = "without GPUs" if gpu.is_cpu else f"with {counted(node.gpus, gpu.unit)}"
    if isinstance(node, OwnedNode):
        return f"owned nodes {gpus}"
    if not node.machine:
        return f"nodes {gpus} at a stated price"
    name = f"{node.machine}, {node.purchase}"
    if not node.commitment_percent:
        return name
    term = f"{node.commitment_percent}% off for {counted(node.commitment_years, 'year')}"
    return f"{name}, {term}{' for always-on nodes' if node.commits_base else ''}"


def traffic(load: Load) -> str:
    """Says how many tokens a load has, and how long its requests are."""
    if load.unit != "request":
        return (
            f"{volume(load.tokens_per_day)} tokens per day ({volume(float(load.requests_per_day))} "
            f"{load.unit}s of {load.input_tokens:,} tokens)"
        )
    cached = f", {load.cached_input_share:.0%} cached" if load.cached_input_share else ""
    return (
        f"{volume(load.tokens_per_day)} tokens per day ({load.input_tokens:,} in{cached}, "
        f"{load.output_tokens:,} out per request)"
    )


def traffic_shape(load: Load) -> str:
    """Says where the shape of the week comes from."""
    source = "flat, the same rate every hour" if load.shape_source == FLAT else load.shape_source
    return f"{source}; burst factor {load.burst_factor:g} (peak minute / hourly mean)"


def capacity_method(capacity: ReplicaCapacity) -> str:
    """Says how a capacity is known."""
    return {
        "own-measurement": "your measurement",
        "published-measurement": "published measurement",
        "roofline": "roofline",
    }[capacity.method]


def capacity_source(capacity: ReplicaCapacity) -> str:
    """Says what a capacity is derived from."""
    point = capacity.measured
    if point is not None:
        return (
            f"{point.source}: {point.output_tokens_per_second:,.0f} output tokens per second, "
            f"{point.input_tokens:,} / {point.output_tokens:,} tokens, concurrency "
            f"{point.concurrency}"
        )
    if capacity.record:
        return f"stacks/measurements/{capacity.record}"
    if capacity.method == "own-measurement":
        unit: Unit = "request" if capacity.output_tokens_per_second else "text"
        return f"stack setting {measured_speed(unit)}"
    found = capacity.calibration
    if found is None:
        return "data sheet only: no measurement of such a model on such hardware is published"
    carried = ""
    if found.generation == TRANSFERRED:
        carried = "; carried over by data sheet, not verified on this GPU"
    return (
        f"calibrated on {found.points} published measurements in steady state: {found.kind} "
        f"models, {found.link} ({', '.join(found.gpus)}); {_engines(found.engines)}{carried}"
    )


def _engines(engines: Sequence[str]) -> str:
    """Names the engines of measurements; of many the oldest and the newest."""
    stated = [engine for engine in engines if not engine.endswith("not stated")] or engines
    if len(stated) > _MOST_ENGINES:
        return f"{stated[0]} to {stated[-1]}"
    return ", ".join(stated)


def capacity_band(capacity: ReplicaCapacity) -> str:
    """Says how sure a capacity is."""
    if capacity.is_unknown:
        return "error unknown"
    return f"within {capacity.error_percent:.0f}%"
