"""Metrics, alerts and dashboards: they ask for what exists, and say what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from components.gpu_pool import create_pool
from components.project import ROOT
from components.serving import VllmServing
from components.serving.timings import timings_of
from tests.recording import register, settings_of
from tests.unit.monitoring.stacks import (
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
        models = [model.model.facts.name for model in settings.models]
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

    def test_the_job_is_the_one_that_the_operator_makes_of_the_monitor(self, stack: str) -> None:
        monitor = monitored(settings_of(stack)).one("PodMonitor")
        job = f"{monitor.metadata['namespace']}/{monitor.metadata['name']}"
        rules = with_budget(stack)
        recorded = recorded_series(rules)
        for rule in rules:
            for selection in check(rule["expr"], recorded).selections:
                assert selection.matchers.get("job", job) == job

    def test_the_monitor_finds_pods_and_port(self, stack: str) -> None:
        settings = settings_of(stack)
        spec = monitored(settings).one("PodMonitor").spec
        _, served = register(
            lambda: VllmServing("vllm", settings, create_pool(settings), namespace="llm")
        )
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
                assert label in {"pod", "Hostname", "gpu"}
                assert label in expression.grouping or not expression.aggregated

    def test_a_start_raises_no_alert(self, stack: str) -> None:
        settings = settings_of(stack)
        alerts = alerts_of(settings, planned_of(stack))
        for name in ("ReplicaNotAnswering", "GpuIdle"):
            assert int(alerts[name]["for"].removesuffix("s")) > timings_of(settings).startup_budget

    def test_the_objectives_are_the_settings(self, stack: str) -> None:
        settings = settings_of(
            stack, timeToFirstTokenSeconds="1.5", interTokenLatencySeconds="0.07"
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
        settings = settings_of(stack, gpuMetrics=False)
        rules = rules_of(settings, planned_of(stack))
        for expression in [rule["expr"] for rule in rules] + panel_expressions(settings):
            assert "gpu" not in expression.lower()


def test_every_section_of_a_runbook_belongs_to_an_alert() -> None:
    rules = with_budget("aws-prod")
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
    settings = settings_of("dev", runbooks="https://wiki.example/runbooks")
    for name, rule in alerts_of(settings, planned_of("dev")).items():
        address = rule["annotations"]["runbook_url"]
        assert address == f"https://wiki.example/runbooks/{rule['concern']}.md#{name.lower()}"
