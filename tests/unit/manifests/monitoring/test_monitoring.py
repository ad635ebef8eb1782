"""Metrics, alerts and dashboards: they ask for what exists, and say what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from breakeven.catalog.engines import deployed_release
from breakeven.manifests.gpu_pool import pool_of
from breakeven.manifests.monitoring.planned import PlannedCost
from breakeven.manifests.serving.component import serving_component
from breakeven.manifests.serving.timings import NODE_START, timings_of
from breakeven.settings.files import ROOT
from tests.prometheus.cases.candidate import SETTINGS as CANDIDATE
from tests.promql_found import selections_of
from tests.recording import register_stack, resources_of, settings_of, stack_of
from tests.unit.manifests.monitoring.stacks import (
    MONITORED,
    alerts_of,
    monitored,
    panel_expressions,
    planned_of,
    rules_of,
)
from tests.unit.promql import check, recorded_series

RUNBOOKS = ROOT / "docs" / "runbooks"


def with_budget(stack: str) -> list[dict[str, Any]]:
    planned = replace(planned_of(stack), budget=Decimal(9000))
    return rules_of(settings_of(stack), planned)


def sections(page: str) -> list[str]:
    text = (RUNBOOKS / page).read_text(encoding="utf-8")
    return re.findall(r"^## (\w+)$", text, re.MULTILINE)


@pytest.mark.parametrize("stack", MONITORED)
class TestEveryStack:
    def test_every_expression_asks_for_metrics_and_labels_that_exist(self, stack: str) -> None:
        # Names that were renamed years ago still stand in others' dashboards (GAIE#1905).
        rules = with_budget(stack)
        recorded = recorded_series(rules)
        for expression in [rule["expr"] for rule in rules] + panel_expressions(settings_of(stack)):
            check(expression, recorded)

    def test_no_expression_mixes_two_stacks(self, stack: str) -> None:
        settings, rules = settings_of(stack), with_budget(stack)
        recorded = recorded_series(rules)
        models = [model.model.facts.name for model in stack_of(stack).models]
        names = (models[0], "|".join(name.replace(".", "\\.") for name in models))
        for expression in [rule["expr"] for rule in rules] + panel_expressions(settings):
            for selection in check(expression, recorded).selections:
                matchers = selection.matchers
                namespace = matchers.get("exported_namespace", matchers.get("namespace"))
                assert namespace == settings.network.namespace
                if selection.metric.startswith(("vllm:", "breakeven:")):
                    assert matchers["model_name"] in names

    def test_everything_recorded_is_asked_for(self, stack: str) -> None:
        settings, rules = settings_of(stack), with_budget(stack)
        recorded = recorded_series(rules)
        asked = {
            selection.metric
            for expression in [rule["expr"] for rule in rules] + panel_expressions(settings)
            for selection in check(expression, recorded).selections
        }
        assert set(recorded) <= asked

    def test_jobs_are_those_that_the_operator_makes_of_the_monitors(self, stack: str) -> None:
        jobs = {
            f"{monitor.metadata['namespace']}/{monitor.metadata['name']}"
            for monitor in register_stack(stack_of(stack)).of("PodMonitor")
        }
        rules = with_budget(stack)
        recorded = recorded_series(rules)
        for rule in rules:
            for selection in check(rule["expr"], recorded).selections:
                if "job" in selection.matchers:
                    assert selection.matchers["job"] in jobs

    def test_controllers_that_are_asked_for_are_registered(self, stack: str) -> None:
        registration = register_stack(stack_of(stack))
        # The controller of a LeaderWorkerSet makes a StatefulSet of its name.
        kinds = {"deployment": "Deployment", "statefulset": "LeaderWorkerSet"}
        asked: set[str] = set()
        for selected in selections_of(registration):
            for label in kinds.keys() & selected.matchers.keys():
                names = {one.metadata["name"] for one in registration.of(kinds[label])}
                assert selected.matchers[label] in names, selected.expression
                asked.add(selected.metric)
        assert asked

    def test_the_monitor_finds_pods_and_port(self, stack: str) -> None:
        settings = settings_of(stack)
        spec = monitored(settings).one("PodMonitor").spec
        served = resources_of(serving_component("vllm", settings, pool_of(stack_of(stack))))
        deployment = served.engine
        labels = deployment.template["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
        [endpoint] = spec["podMetricsEndpoints"]
        assert endpoint["port"] in [port["name"] for port in deployment.container["ports"]]
        assert endpoint["interval"] == "15s"

    def test_every_alert_says_what_it_is_about_and_what_to_do(self, stack: str) -> None:
        for rule in with_budget(stack):
            if "alert" in rule:
                name, page = rule["alert"], f"{rule['concern']}.md"
                address = f"docs/runbooks/{page}#{name.lower()}"
                assert rule["annotations"]["runbook_url"] == address
                assert name in sections(page)
                assert rule["annotations"]["summary"]
                assert rule["annotations"]["description"]
                assert rule["labels"]["severity"] in {"critical", "warning"}
                assert rule["labels"]["namespace"] == settings_of(stack).network.namespace

    def test_labels_in_a_summary_are_labels_of_the_result(self, stack: str) -> None:
        rules = with_budget(stack)
        recorded = recorded_series(rules)
        for rule in rules:
            for label in re.findall(r"\$labels\.(\w+)", str(rule.get("annotations"))):
                expression = check(rule["expr"], recorded)
                assert label in {"pod", "Hostname", "gpu", "team"}
                assert label in expression.grouping or not expression.aggregated

    def test_a_start_raises_no_alert(self, stack: str) -> None:
        settings = settings_of(stack)
        alerts = alerts_of(settings, planned_of(stack))
        for name in ("ReplicaNotAnswering", "GpuIdle"):
            assert int(alerts[name]["for"].removesuffix("s")) > timings_of(settings).startup_budget

    def test_the_objectives_are_the_settings(self, stack: str) -> None:
        settings = settings_of(
            stack,
            **{
                "traffic.timeToFirstTokenSeconds": "1.5",
                "traffic.interTokenLatencySeconds": "0.07",
            },
        )
        alerts = alerts_of(settings, planned_of(stack))
        for name, rule in alerts.items():
            if "BudgetBurns" in name and name != "BudgetBurns":
                objective = "1.5" if name.startswith("FirstToken") else "0.07"
                assert rule["expr"].count(f"> {objective} ") == 4

    def test_scaling_is_watched_where_something_scales(self, stack: str) -> None:
        settings = settings_of(stack)
        alerts = alerts_of(settings, planned_of(stack))
        for name in ("ScalingBlind", "IdleReplicas"):
            assert (name in alerts) is settings.replicas.autoscaling

    def test_without_the_exporter_nothing_asks_for_gpus(self, stack: str) -> None:
        settings = settings_of(stack, **{"monitoring.gpuMetrics": False})
        rules = rules_of(settings, planned_of(stack))
        for expression in [rule["expr"] for rule in rules] + panel_expressions(settings):
            assert "gpu" not in expression.lower()


def test_a_gpu_of_a_replica_on_two_nodes_costs_a_share_of_both() -> None:
    planned = replace(planned_of("owned-h100"), node_hour=Decimal(32))
    settings = settings_of("owned-h100", **{"monitoring.gpuMetrics": True})
    idle = alerts_of(settings, planned)["GpuIdle"]["expr"]
    assert ") + 2 and" in idle  # 32 USD an hour for twice eight GPUs


def test_gpus_of_amd_are_watched_by_the_exporter_of_amd() -> None:
    settings = settings_of(
        "on-prem",
        **{
            "monitoring.gpuMetrics": True,
            "pool.gpu": "mi300x",
            "pool.nodeLabels": {"feature.node.kubernetes.io/amd-gpu": "true"},
            "engine.image": deployed_release().images["amd"].reference,
        },
    )
    rules = rules_of(settings, replace(planned_of("on-prem"), budget=Decimal(9000)))
    recorded = recorded_series(rules)
    expressions = [rule["expr"] for rule in rules] + panel_expressions(settings)
    for expression in expressions:
        check(expression, recorded)
        assert "DCGM" not in expression
        assert "xid" not in expression
    alerts = alerts_of(settings, planned_of("on-prem"))
    assert {"GpuHardwareError", "GpuThrottled", "GpuMetricsMissing"} <= {*alerts}
    assert "GpuApplicationError" not in alerts
    assert "AMD" in alerts["GpuMetricsMissing"]["annotations"]["description"]


def test_all_gpus_of_a_replica_on_two_nodes_must_be_measured() -> None:
    settings = settings_of("owned-h100", **{"monitoring.gpuMetrics": True})
    missing = alerts_of(settings, planned_of("owned-h100"))["GpuMetricsMissing"]["expr"]
    assert missing.startswith("16 * breakeven:replicas:up{")


def test_idle_replicas_are_told_where_fewer_would_run_and_save_something() -> None:
    def told(stack: str, planned: PlannedCost, **overrides: object) -> bool:
        return "IdleReplicas" in alerts_of(settings_of(stack, **overrides), planned)

    follows, fixed = planned_of("aws-prod"), planned_of("on-prem")
    assert told("aws-prod", follows)
    assert not told("aws-prod", follows, **{"replicas.schedule": ["mon-fri 08:00-18:00 4"]})
    assert not told("on-prem", fixed, **{"replicas.autoscaling": True, "replicas.max": 2})


def test_the_last_replica_is_idle_only_when_nobody_asks() -> None:
    settings = settings_of("hybrid", **{"replicas.min": 0})
    planned = replace(planned_of("hybrid"), node_hour=Decimal(2))
    expression = alerts_of(settings, planned)["IdleReplicas"]["expr"]
    last, more = expression.split(" or ")
    assert " * 2 > 0 and breakeven:requests:rate5m{" in last
    assert last.endswith("} == 0")
    assert more.startswith("(breakeven:replicas:there{")
    assert " - 1) * 2 > 0 and " in more
    assert more.endswith("} < 24")  # half of one replica's 48


@pytest.mark.parametrize("stack", MONITORED)
def test_the_gateway_is_watched_where_there_is_one(stack: str) -> None:
    settings = settings_of(stack)
    asked = [rule["expr"] for rule in with_budget(stack)] + panel_expressions(settings)
    gateway = [text for text in asked if "gateway" in text or "overflow" in text]
    assert bool(gateway) is settings.gateway.is_hybrid


def test_without_an_api_nothing_asks_what_leaves() -> None:
    settings = settings_of("hybrid", **{"network.dataMayLeave": False})
    rules = rules_of(settings, planned_of("hybrid"))
    for expression in [rule["expr"] for rule in rules] + panel_expressions(settings):
        assert "overflow" not in expression
        assert 'to="api"' not in expression
    assert "InsideRequestsRefused" in alerts_of(settings, planned_of("hybrid"))


def test_without_limits_in_money_nothing_asks_for_them() -> None:
    settings = settings_of("hybrid", **{"gateway.teams": {"product": {"tokensPerDay": 10**9}}})
    rules = rules_of(settings, planned_of("hybrid"))
    for expression in [rule["expr"] for rule in rules] + panel_expressions(settings):
        assert "team_usd" not in expression
        assert "team_limit" not in expression


def test_a_cold_start_behind_the_gateway_raises_no_alert() -> None:
    settings = settings_of("hybrid", **{"replicas.min": 0})
    patience = alerts_of(settings, planned_of("hybrid"))["InsideRequestsRefused"]["for"]
    assert int(patience.removesuffix("s")) > NODE_START + timings_of(settings).startup_budget


def test_the_planned_overflow_is_the_preview_s() -> None:
    planned = planned_of("hybrid")
    constants = {
        rule["record"]: rule["expr"]
        for rule in rules_of(settings_of("hybrid"), planned)
        if "record" in rule
    }
    assert planned.overflow_share > 0
    assert planned.overflow_monthly > 0
    ratio = constants["breakeven:planned_overflow:ratio"].removeprefix("vector(").removesuffix(")")
    assert float(ratio) == pytest.approx(planned.overflow_share, rel=1e-5)
    hourly = planned.overflow_monthly / planned.hours_per_month
    assert constants["breakeven:planned_overflow_hour:usd"] == f"vector({hourly:.6f})"


def test_every_section_of_a_runbook_belongs_to_an_alert() -> None:
    planned = replace(planned_of("hybrid"), budget=Decimal(9000))
    rules = rules_of(CANDIDATE, planned)  # which has all of them
    for page in RUNBOOKS.glob("*.md"):
        concern = page.stem
        expected = [
            rule["alert"] for rule in rules if "alert" in rule and rule["concern"] == concern
        ]
        assert sections(page.name) == expected


def test_runbooks_link_to_sections_that_exist() -> None:
    anchors = {
        f"{page.name}#{name.lower()}"
        for page in RUNBOOKS.glob("*.md")
        for name in sections(page.name)
    }
    for page in RUNBOOKS.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(((?:\w+\.md)?#\w+)\)", text):
            assert (target if ".md" in target else page.name + target) in anchors


def test_runbooks_may_lie_on_a_web_server() -> None:
    settings = settings_of("dev", **{"monitoring.runbooks": "https://wiki.example/runbooks"})
    for name, rule in alerts_of(settings, planned_of("dev")).items():
        address = rule["annotations"]["runbook_url"]
        assert address == f"https://wiki.example/runbooks/{rule['concern']}.md#{name.lower()}"
