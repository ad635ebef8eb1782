"""What a stack deploys for monitoring, as the tests of rules and dashboards need it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from breakeven.cost.estimate import estimate
from breakeven.manifests.monitoring.component import monitoring_component
from breakeven.manifests.monitoring.cost_rules import planned_cost_component
from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.planning.offline import load_stack
from breakeven.planning.planned_cost import planned_costs
from breakeven.settings.stack import Settings
from tests.recording import STACKS, Registration, once, resources_of, settings_of

MONITORED = [stack for stack in STACKS if settings_of(stack).monitoring.enabled]
TODAY = date(2026, 11, 24)


@cache
def planned_of(stack: str) -> PlannedCost:
    """The figures of a stack's first model."""
    loaded = load_stack(stack, TODAY)
    return planned_costs(estimate(loaded.ledger(), loaded.assumptions))[0]


@once
def monitored(settings: Settings) -> Registration:
    """What is rendered without an estimate."""
    return resources_of(monitoring_component("monitoring", settings))


@once
def cost_rules(settings: Settings, planned: PlannedCost) -> Mapping[str, Any]:
    """The specification of the rules that an estimate gives."""
    registration = resources_of(planned_cost_component("planned-cost", settings, planned))
    specification: Mapping[str, Any] = registration.one("PrometheusRule").spec
    return specification


def rule_specifications(settings: Settings, planned: PlannedCost) -> dict[str, Mapping[str, Any]]:
    """Every PrometheusRule of a stack by its concern."""
    rules = monitored(settings).of("PrometheusRule")
    found = {rule.metadata["name"].rpartition("-")[2]: rule.spec for rule in rules}
    return {**found, "cost": cost_rules(settings, planned)}


def rules_of(settings: Settings, planned: PlannedCost) -> list[dict[str, Any]]:
    """Every rule, with the concern that it belongs to."""
    return [
        {**rule, "concern": concern}
        for concern, specification in rule_specifications(settings, planned).items()
        for group in specification["groups"]
        for rule in group["rules"]
    ]


def alerts_of(settings: Settings, planned: PlannedCost) -> dict[str, dict[str, Any]]:
    """Every alert by its name."""
    return {rule["alert"]: rule for rule in rules_of(settings, planned) if "alert" in rule}


def dashboards_of(settings: Settings) -> dict[str, Any]:
    """Every dashboard by its reader."""
    prefix = f"{settings.network.namespace}-model-"
    return {
        config.name.removeprefix(prefix): json.loads(text)
        for config in monitored(settings).of("ConfigMap")
        for text in config.inputs["data"].values()
    }


def panel_expressions(settings: Settings) -> list[str]:
    """Every query of every dashboard."""
    return [
        target["expr"]
        for dashboard in dashboards_of(settings).values()
        for panel in dashboard["panels"]
        for target in panel.get("targets", [])
    ]
