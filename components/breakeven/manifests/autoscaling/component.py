"""Scales replicas by the load that vLLM reports."""

from __future__ import annotations

from breakeven.manifests.monitoring.promql import engine_selector, wanted_requests
from breakeven.manifests.resource import Component, Resource
from breakeven.manifests.serving.labels import GROUP_NAME, replicas_key
from breakeven.manifests.serving.timings import scale_up_period, timings_of
from breakeven.manifests.templates import render_manifest
from breakeven.settings.replicas import DAYS, ScheduledReplicas
from breakeven.settings.stack import Settings


def autoscaling_component(name: str, settings: Settings) -> Component:
    """Returns a KEDA ScaledObject, which sets the Deployment's number of replicas.

    Args:
        name: Name in the program.
        settings: The stack's settings.
    """
    replicas = settings.replicas
    manifest = render_manifest(
        "autoscaling/scaled-object.yaml.j2",
        {
            "name": settings.name,
            "target": _target(settings),
            "lowest": replicas.min,
            "highest": replicas.max,
            "scale_down_seconds": replicas.scale_down_seconds,
            "prometheus": settings.monitoring.prometheus_address,
            "selector": engine_selector(settings),
            "wanted": wanted_requests(settings),
            "target_requests": replicas.target_requests,
            "target_waiting": replicas.target_waiting,
            "scale_up_period": scale_up_period(settings),
            "time_zone": replicas.time_zone,
            "schedule": [_hours(entry) for entry in replicas.schedule],
        },
        namespace=settings.network.namespace,
    )
    scaler = Resource(
        name=settings.name,
        manifest=manifest,
        # The scaler waits for its target, and would wait forever for one whose weights could not
        # be fetched.
        depends_on=(replicas_key(settings),),
        timeout_seconds=timings_of(settings).rollout,
    )
    return Component(
        type="breakeven:autoscaling:Autoscaling",
        name=name,
        namespace=settings.network.namespace,
        inputs={"minReplicas": replicas.min, "maxReplicas": replicas.max},
        resources=(scaler,),
    )


def _target(settings: Settings) -> dict[str, str]:
    if settings.engine.pipeline_parallel == 1:
        return {"name": settings.name}
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "name": GROUP_NAME,
    }


def _hours(entry: ScheduledReplicas) -> dict[str, str]:
    # Each day separately, because KEDA's cron week begins on Sunday and rejects a range to Sunday.
    days = ",".join(DAYS[entry.first_day : entry.last_day + 1])
    return {
        "start": f"{_cron(entry.start)} * * {days}",
        "end": f"{_cron(entry.end)} * * {days}",
        "replicas": str(entry.replicas),
    }


def _cron(clock: str) -> str:
    hour, minute = clock.split(":")
    return f"{int(minute)} {int(hour)}"
