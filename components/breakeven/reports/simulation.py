"""A simulated week as text and as plain values."""

from __future__ import annotations

from dataclasses import asdict

from breakeven.cost.fleet.simulation.comparison import Comparison
from breakeven.cost.fleet.simulation.demand import STEP_SECONDS
from breakeven.cost.fleet.simulation.result import OBJECTIVE_SHARE
from breakeven.reports.formatting import volume
from breakeven.reports.sentences.descriptions import served_on
from breakeven.reports.sentences.simulation import difference_sentences
from breakeven.reports.text import drawn, text_table, wrapped


def as_text(comparison: Comparison) -> str:
    """Returns the week as text of at most 96 columns."""
    assumptions, totals = comparison.assumptions, comparison.week.totals
    load = assumptions.load
    traffic = (
        f"{volume(load.tokens_per_day)} tokens per day, {totals.requests:,} requests in "
        f"{totals.hours:,.0f} hours, in steps of {STEP_SECONDS} s; seed {comparison.seed}"
    )
    served = served_on(assumptions)
    heading = wrapped([f"SIMULATED WEEK OF STACK {assumptions.stack}", served, traffic])
    reasons = wrapped(f"- {reason}" for reason in difference_sentences(comparison))
    return f"{heading}{_nodes(comparison)}{_latency(comparison)}\nReasons\n{reasons}".rstrip("\n")


def _nodes(comparison: Comparison) -> str:
    totals, plan = comparison.week.totals, comparison.plan
    month = float(comparison.assumptions.calendar.hours_per_month)
    table = text_table("Nodes and utilization")
    table.add_column("", ratio=1)
    table.add_column("Simulated", justify="right")
    table.add_column("Plan for peak minutes", justify="right")
    gpus = comparison.configuration.fleet.gpus_per_node
    machines = comparison.configuration.fleet.machines_per_node
    simulated_nodes, planned_nodes = totals.mean_nodes * machines, plan.mean_nodes * machines
    rows = (
        ("Node-hours per month", simulated_nodes * month, planned_nodes * month),
        ("GPU-hours per month", totals.mean_nodes * month * gpus, plan.mean_nodes * month * gpus),
        ("Nodes, on average", simulated_nodes, planned_nodes),
        ("Replicas, on average", totals.mean_replicas, comparison.planned_replicas),
    )
    for name, simulated, planned in rows:
        table.add_row(name, f"{simulated:,.2f}", f"{planned:,.2f}")
    table.add_row("Replicas, peak", str(totals.peak_replicas), str(plan.peak_replicas))
    table.add_row("Busy", f"{totals.busy_share:.1%}", f"{plan.busy_share:.1%}")
    table.add_row("Idle", f"{totals.idle_share:.1%}", f"{1 - plan.busy_share:.1%}")
    starts = f"{totals.replica_starts:,} replicas, {totals.node_starts * machines:,} nodes"
    table.add_row(f"Starts in {totals.hours:,.0f} hours", starts, "")
    return drawn(table)


def _latency(comparison: Comparison) -> str:
    week = comparison.week
    objective = comparison.configuration.objective_seconds
    table = text_table("Latency")
    table.add_column("", ratio=1)
    table.add_column("Simulated", justify="right")
    table.add_column("Objective", justify="right")
    table.add_row(
        f"TTFT within {objective:g} s",
        f"{week.totals.objective_share:.2%}",
        f"{OBJECTIVE_SHARE:.0%}",
    )
    table.add_row("Queueing, mean", f"{week.totals.mean_queueing_seconds:,.2f} s", "")
    table.add_row("Queueing, P95", f"{week.p95_queueing_seconds:,.2f} s", "")
    table.add_row("In flight at the end", f"{week.totals.in_flight_at_end:,}", "")
    return drawn(table)


def as_output(comparison: Comparison) -> dict[str, object]:
    """Returns all figures as plain values; hours are those of the simulated time, not a month's."""
    week, plan = comparison.week, comparison.plan
    machines = comparison.configuration.fleet.machines_per_node
    totals = asdict(week.totals)
    hours = totals["hours"]
    by_hour = asdict(week.hours)
    for name in ("node_hours", "node_starts"):
        totals[name] *= machines
    for name in ("nodes", "idle_nodes"):
        by_hour[name] = [nodes * machines for nodes in by_hour[name]]
    return {
        "stack": comparison.assumptions.stack,
        "seed": comparison.seed,
        "stepSeconds": STEP_SECONDS,
        "simulated": {
            **{_camel(name): value for name, value in totals.items()},
            "meanNodes": week.totals.mean_nodes * machines,
            "idleShare": week.totals.idle_share,
            "p95QueueingSeconds": week.p95_queueing_seconds,
        },
        "planned": {
            "nodeHours": plan.mean_nodes * machines * hours,
            "meanNodes": plan.mean_nodes * machines,
            "meanReplicas": comparison.planned_replicas,
            "peakReplicas": plan.peak_replicas,
            "busyShare": plan.busy_share,
            "idleShare": 1 - plan.busy_share,
        },
        "objective": {
            "firstTokenSeconds": comparison.configuration.objective_seconds,
            "share": OBJECTIVE_SHARE,
        },
        "reasons": list(difference_sentences(comparison)),
        "hours": {_camel(name): list(values) for name, values in by_hour.items()},
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
