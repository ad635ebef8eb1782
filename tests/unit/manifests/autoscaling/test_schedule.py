"""Replicas at hours that are known beforehand."""

from __future__ import annotations

from breakeven.manifests.autoscaling.component import autoscaling_component
from tests.recording import resources_of, settings_of


def test_a_schedule_asks_for_its_replicas_between_its_hours() -> None:
    settings = settings_of(
        "aws-prod",
        **{
            "replicas.schedule": ["mon-fri 07:30-18:00 4", "sat-sun 10:00-12:00 3"],
            "replicas.timeZone": "Europe/Berlin",
        },
    )
    registration = resources_of(autoscaling_component("autoscaling", settings))
    spec = registration.one("ScaledObject").spec
    scheduled = [trigger["metadata"] for trigger in spec["triggers"] if trigger["type"] == "cron"]
    assert len(spec["triggers"]) == 4
    assert scheduled == [
        {
            "timezone": "Europe/Berlin",
            "start": "30 7 * * mon,tue,wed,thu,fri",
            "end": "0 18 * * mon,tue,wed,thu,fri",
            "desiredReplicas": "4",
        },
        {
            "timezone": "Europe/Berlin",
            "start": "0 10 * * sat,sun",
            "end": "0 12 * * sat,sun",
            "desiredReplicas": "3",
        },
    ]
