"""The plan as recorded series, and the alerts about cost."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.manifests.monitoring.promql import models_selector
from breakeven.manifests.monitoring.rules import PATIENCE_SECONDS, rule_manifest
from breakeven.manifests.resource import Component, Resource
from breakeven.manifests.serving.sizes import replica_gpus
from breakeven.manifests.serving.timings import timings_of
from breakeven.settings.stack import Settings

_IDLE_SECONDS = 3600


def planned_cost_component(name: str, settings: Settings, planned: PlannedCost) -> Component:
    """Returns the estimate's figures for Prometheus; dashboards compare them with observations.

    It is made from the estimate and registered after it, so it is not in the estimate; it is free.

    Args:
        name: Name in the program.
        settings: The stack's settings.
        planned: The estimate's figures.
    """
    manifest = rule_manifest(settings, "cost", _values(settings, planned))
    return Component(
        type="breakeven:monitoring:PlannedCostRules",
        name=name,
        resources=(Resource(name=manifest["metadata"]["name"], manifest=manifest),),
    )


def _values(settings: Settings, planned: PlannedCost) -> dict[str, object]:
    replicas, node_hour = settings.replicas, planned.node_hour
    # If the price is private, replicas and GPUs are counted but not priced.
    replica_hour = Decimal(1) if node_hour is None else node_hour / planned.replicas_per_node
    gpu_hour = replica_hour if node_hour is None else replica_hour / replica_gpus(settings)
    return {
        "planned": _figures(settings, planned),
        "apis": [
            (
                api.reference,
                "same model" if api.same_model else "in use",
                _text(api.per_million_tokens),
            )
            for api in planned.apis
        ],
        "priced": node_hour is not None,
        "budget": None if planned.budget is None else _text(planned.budget),
        "hours_per_month": str(planned.hours_per_month),
        "per_million_tokens": f"{planned.per_million_tokens:.2f}",
        "replica_tokens_per_second": f"{planned.replica_tokens_per_second:.0f}",
        "replica_tokens_low": None
        if planned.replica_tokens_low is None
        else f"{planned.replica_tokens_low:.0f}",
        "full_requests": planned.full_requests,
        "expected": f"measured in {planned.measured_by}" if planned.measured_by else "estimated",
        "replicas_per_node": planned.replicas_per_node,
        "fixed_nodes": None if planned.fixed_nodes is None else f"{planned.fixed_nodes:g}",
        "models": models_selector(settings),
        "replica_hour": _text(replica_hour),
        "gpu_hour": _text(gpu_hour),
        "removes_idle": _removes_idle(settings, planned),
        "may_be_none": replicas.min == 0,
        "lowest": max(replicas.min, 1),
        "idle_requests": f"{replicas.target_requests * max(replicas.min, 1) / 2:g}",
        "idle_seconds": _IDLE_SECONDS + replicas.scale_down_seconds,
        "gpu_metrics": settings.monitoring.gpu_metrics,
        "startup_seconds": timings_of(settings).startup_budget + PATIENCE_SECONDS,
    }


def _removes_idle(settings: Settings, planned: PlannedCost) -> bool:
    """Tells whether removing replicas that the load does not need saves money.

    A schedule keeps them at low load, and a pool of fixed size is paid in any case.
    """
    replicas = settings.replicas
    return replicas.autoscaling and not replicas.schedule and planned.fixed_nodes is None


def _figures(settings: Settings, planned: PlannedCost) -> list[tuple[str, str]]:
    """Returns the recorded constants, by name without prefix."""
    figures: dict[str, Decimal | None] = {
        "planned_month:usd": planned.monthly,
        "planned_hour:usd": planned.monthly / planned.hours_per_month,
        "planned_per_million_tokens:usd": planned.per_million_tokens,
        "planned_tokens:per_day": Decimal(planned.tokens_per_day),
        "planned_busy:ratio": Decimal(repr(planned.busy_share)),
        "planned_nodes:mean": Decimal(repr(planned.mean_nodes)),
        "budget_month:usd": planned.budget,
        "fixed_hour:usd": planned.fixed_hour,
        "node_hour:usd": planned.node_hour,
        "candidate_hour:usd": planned.candidate_hour,
        "candidate_per_million_tokens:usd": planned.candidate_per_million_tokens,
    }
    if settings.overflow_api is not None:
        figures |= {
            "planned_overflow:ratio": Decimal(repr(planned.overflow_share)),
            "planned_overflow_hour:usd": planned.overflow_monthly / planned.hours_per_month,
        }
    return [(name, _text(figure)) for name, figure in figures.items() if figure is not None]


def _text(figure: Decimal) -> str:
    """Formats a figure with six decimals, like the report, without an exponent."""
    return f"{figure.quantize(Decimal('0.000001'), ROUND_HALF_UP).normalize():f}"
