"""Why a simulated week differs from its plan, or does not."""

from __future__ import annotations

from breakeven.cost.fleet.simulation.comparison import Comparison, Difference


def difference_sentences(comparison: Comparison) -> tuple[str, ...]:
    """Explains the differences, most costly first."""
    return tuple(_sentence(comparison, difference) for difference in comparison.reasons())


def _sentence(comparison: Comparison, difference: Difference) -> str:  # noqa: C901, PLR0911  # one kind each
    totals, configuration = comparison.week.totals, comparison.configuration
    fleet = configuration.fleet
    beyond = comparison.nodes_beyond_replicas * fleet.machines_per_node
    paid = f"{beyond:.2f} more nodes on average are paid for than replicas fill: "
    match difference:
        case Difference.NONE_FIXED_NODES:
            fixed = (fleet.fixed_nodes or 0) * fleet.machines_per_node
            nodes = "1 node is" if fixed == 1 else f"{fixed} nodes are"
            return f"Node-hours are the same, because {nodes} paid for all hours."
        case Difference.NONE_SAME_REPLICAS:
            return (
                f"Plan and autoscaler need the same number of replicas: {totals.peak_replicas} at "
                "all hours."
            )
        case Difference.REPLICAS_ALIKE | Difference.FEWER_REPLICAS | Difference.MORE_REPLICAS:
            return _replicas(comparison, difference)
        case Difference.DRAINING_NODES:
            return f"{paid}nodes of stopped replicas drain, then wait to be removed."
        case Difference.PARTLY_FILLED_NODES:
            return (
                f"{paid}Kubernetes removes replicas from the fullest node first, so a node with "
                "room for more is only removed when there are as few replicas as nodes."
            )
        case Difference.BACKLOG:
            return (
                f"The fleet cannot keep up: {totals.in_flight_at_end:,} requests remain at the "
                "end. Raise replicas.max."
            )
        case Difference.QUEUEING:
            advice = "more replicas"
            if fleet.autoscaling:
                advice = "a higher replicas.min or a lower replicas.targetRequests"
            return (
                "The plan does not include queueing. In the simulation, requests wait during "
                f"bursts ({comparison.assumptions.load.burst_factor:g}x the hourly mean in the "
                f"peak minute); {advice} would help."
            )


def _replicas(comparison: Comparison, difference: Difference) -> str:
    totals, configuration = comparison.week.totals, comparison.configuration
    speed = configuration.speed
    averages = (
        f"The plan has {comparison.planned_replicas:.2f} replicas on average, enough for the peak "
        f"minute of each hour ({comparison.calm_replicas:.2f} without bursts); the "
        f"autoscaler ran {totals.mean_replicas:.2f}"
    )
    if difference is Difference.REPLICAS_ALIKE:
        return f"{averages}, nearly the same."
    if difference is Difference.FEWER_REPLICAS:
        return (
            f"{averages}: it adds replicas only once requests arrive, and with few requests in "
            f"flight a replica answers sooner ({speed.seconds_alone:.1f} s alone, "
            f"{speed.seconds_full:.1f} s with {speed.slots} in flight)."
        )
    return (
        f"{averages}: a start takes {configuration.fleet.start_seconds:.0f} s, and while requests "
        f"wait it doubles the replicas at most every {configuration.growth_seconds:.0f} s, up "
        f"to {totals.peak_replicas}; then it removes at most one per minute."
    )
