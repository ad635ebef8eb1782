"""Measures a replica at an address, within a budget shown first."""

from __future__ import annotations

import os
import time
from decimal import Decimal
from pathlib import Path

import typer

from breakeven.cli.measure.options import MeasureError, Wishes
from breakeven.cli.measure.sweep import Plan, Run, steps_up_to, sweep
from breakeven.cost.bill.node_cost import RentedNode
from breakeven.measurements.guidellm import Load, run
from breakeven.measurements.record import Point
from breakeven.measurements.results import Result
from breakeven.planning.fleet import largest_batch
from breakeven.planning.objectives import objectives_of
from breakeven.planning.offline import LoadedStack
from breakeven.reports.formatting import usd

KEY = "OPENAI_API_KEY"
"""Environment variable with the bearer token of the server."""


def measured(loaded: LoadedStack, wishes: Wishes, folder: Path) -> list[Result]:
    """Measures one replica of a stack, step by step.

    Args:
        loaded: The stack.
        wishes: How to measure.
        folder: Folder of the steps until the record is written.

    Raises:
        MeasureError: It was not confirmed or was stopped, or no step fits the budget.
        LoadError: A step has no result.
        ResultError: A result is invalid.
    """
    plan = _plan(loaded, wishes)
    _confirm(plan, wishes)
    steps = folder / f".{_name(loaded, plan)}"
    steps.mkdir(parents=True, exist_ok=True)
    found = _swept(loaded, plan, wishes, steps)
    for path in steps.glob("*.json"):
        path.unlink()
    steps.rmdir()
    return found


def with_program(program: str) -> Run:
    """Returns what runs a step on this machine, by the program guidellm."""

    def run_step(load: Load, concurrency: int, result: Path) -> None:
        run(program, load, concurrency, result, os.environ.get(KEY, ""))

    return run_step


def line_of(point: Point) -> str:
    """Prints the result of a step."""
    latency = ""
    if point.first_token_seconds is not None and point.inter_token_seconds is not None:
        latency = (
            f"; P95 TTFT {point.first_token_seconds:.2f} s, P95 ITL "
            f"{point.inter_token_seconds * 1000:.0f} ms"
        )
    speed = point.output_tokens_per_second
    return f"concurrency {point.concurrency}: {speed:,.1f} output tokens per second{latency}"


def _plan(loaded: LoadedStack, wishes: Wishes) -> Plan:
    settings, assumptions = loaded.settings, loaded.assumptions
    traffic = assumptions.load
    load = Load(
        target=wishes.target.rstrip("/").removesuffix("/v1"),
        model=wishes.model or settings.model.facts.name,
        tokenizer=wishes.tokenizer or settings.model.repository,
        input_tokens=traffic.input_tokens,
        cached_tokens=round(traffic.input_tokens * traffic.cached_input_share),
        output_tokens=round(traffic.own_output_tokens),
        seconds=wishes.seconds,
    )
    full = settings.replicas.target_requests
    if not settings.replicas.autoscaling:
        full = min(largest_batch(settings), assumptions.capacity.held_requests)
    node = assumptions.node
    price = node.price.usd if isinstance(node, RentedNode) else None
    share = Decimal(settings.engine.pipeline_parallel) / settings.replicas_per_node
    return Plan(
        load=load,
        steps=steps_up_to(wishes.most or full),
        usd_per_hour=None if price is None else price * share,
    )


def _name(loaded: LoadedStack, plan: Plan) -> str:
    """Returns a plan's name, which differs by model and lengths."""
    load = plan.load
    lengths = f"{load.input_tokens}-{load.cached_tokens}-{load.output_tokens}-{load.seconds}"
    return f"{loaded.assumptions.stack}-{load.model.replace('/', '_')}-{lengths}"


def _confirm(plan: Plan, wishes: Wishes) -> None:
    load = plan.load
    cost = "the cost of the replica is unknown"
    if plan.usd is not None:
        cost = f"about {usd(plan.usd)} for the replica during that time"
    typer.echo(
        f"Requests with {load.input_tokens:,} input tokens ({load.cached_tokens:,} of them "
        f"shared) and {load.output_tokens:,} output tokens are sent to {load.target}, at "
        f"concurrency {', '.join(map(str, plan.steps))}.\n"
        f"This takes about {plan.minutes:.0f} minutes; no step is started that would end after "
        f"{wishes.minutes:g} minutes. Cost: {cost}.",
        err=True,
    )
    if wishes.budget is not None:
        limit = usd(Decimal(str(wishes.budget)))
        typer.echo(f"No step is started that would raise the cost above {limit}.", err=True)
    if not wishes.assume and not typer.confirm("Start?", default=True, err=True):
        msg = "nothing was started"
        raise MeasureError(msg)


def _swept(loaded: LoadedStack, plan: Plan, wishes: Wishes, steps: Path) -> list[Result]:
    start = time.monotonic()
    longest = wishes.minutes * 60
    if wishes.budget is not None and plan.usd_per_hour:
        longest = min(longest, wishes.budget / float(plan.usd_per_hour) * 3600)

    def has_time(more: float) -> bool:
        return time.monotonic() - start + more <= longest

    found: list[Result] = []
    try:
        for result, ending in sweep(
            plan,
            run=wishes.run,
            folder=steps,
            objectives=objectives_of(loaded.settings),
            has_time=has_time,
        ):
            found.append(result)
            typer.echo(line_of(result.point), err=True)
            if ending:
                typer.echo(f"Stopped: {ending}.", err=True)
    except KeyboardInterrupt as error:
        kept = "1 step is" if len(found) == 1 else f"{len(found)} steps are"
        msg = f"stopped. {kept} kept. Run the same command again to continue"
        raise MeasureError(msg) from error
    if not found:
        msg = "no step fits the budget. Raise --minutes or --budget, or lower --seconds"
        raise MeasureError(msg)
    return found
