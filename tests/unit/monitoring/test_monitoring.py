"""Metrics, alerts and dashboard: they ask for what exists, and say what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from components.gpu_pool import create_pool
from components.monitoring import Monitoring
from components.project import ROOT
from components.serving import VllmServing
from components.serving.timings import timings_of
from components.settings_types import Settings
from tests.recording import STACKS, Registration, register, settings_of
from tests.unit.promql import check

MONITORED = [stack for stack in STACKS if settings_of(stack).monitoring.enabled]


def monitored(settings: Settings) -> Registration:
    _, registration = register(lambda: Monitoring("monitoring", settings, namespace="llm"))
    return registration


def rules_of(settings: Settings) -> dict[str, Mapping[str, Any]]:
    [group] = monitored(settings).one("PrometheusRule").spec["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


def dashboard_of(settings: Settings) -> Any:
    [text] = monitored(settings).one("ConfigMap").inputs["data"].values()
    return json.loads(text)


def expressions_of(settings: Settings) -> list[str]:
    alerts = [rule["expr"] for rule in rules_of(settings).values()]
    panels = dashboard_of(settings)["panels"]
    return alerts + [target["expr"] for panel in panels for target in panel["targets"]]


@pytest.mark.parametrize("stack", MONITORED)
class TestEveryStack:
    def test_every_expression_asks_for_metrics_and_labels_that_exist(self, stack: str) -> None:
        # Names that were renamed years ago still stand in others' dashboards (GAIE#1905).
        for expression in expressions_of(settings_of(stack)):
            check(expression)

    def test_no_expression_mixes_two_stacks(self, stack: str) -> None:
        settings = settings_of(stack)
        for expression in expressions_of(settings):
            for selection in check(expression).selections:
                assert selection.matchers["namespace"] == settings.network.namespace
                if selection.metric.startswith("vllm:"):
                    assert selection.matchers["model_name"] == settings.model.facts.name

    def test_the_job_is_the_one_that_the_operator_makes_of_the_monitor(self, stack: str) -> None:
        monitor = monitored(settings_of(stack)).one("PodMonitor")
        job = f"{monitor.metadata['namespace']}/{monitor.metadata['name']}"
        for expression in expressions_of(settings_of(stack)):
            for selection in check(expression).selections:
                assert selection.matchers.get("job", job) == job

    def test_the_monitor_finds_pods_and_port(self, stack: str) -> None:
        settings = settings_of(stack)
        spec = monitored(settings).one("PodMonitor").spec
        _, served = register(
            lambda: VllmServing("vllm", settings, create_pool(settings), namespace="llm")
        )
        deployment = served.one("Deployment")
        labels = deployment.spec["template"]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()
        [endpoint] = spec["podMetricsEndpoints"]
        assert endpoint["port"] in [port["name"] for port in deployment.container["ports"]]
        assert endpoint["interval"] == "15s"

    def test_every_alert_says_what_it_is_about_and_what_to_do(self, stack: str) -> None:
        sections = re.findall(r"^## (\w+)$", (ROOT / "docs/alerts.md").read_text(), re.MULTILINE)
        for name, rule in rules_of(settings_of(stack)).items():
            assert name in sections
            assert rule["annotations"]["runbook"] == f"docs/alerts.md#{name.lower()}"
            assert rule["annotations"]["summary"]
            assert rule["labels"]["severity"] in {"critical", "warning"}
            assert rule["labels"]["namespace"] == settings_of(stack).network.namespace

    def test_labels_in_a_summary_are_labels_of_the_result(self, stack: str) -> None:
        for rule in rules_of(settings_of(stack)).values():
            expression = check(rule["expr"])
            aggregated = any(
                selection.function in {"sum", "count"} for selection in expression.selections
            )
            for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
                assert label == "pod"
                assert "pod" in expression.grouping or not aggregated

    def test_a_start_raises_no_alert(self, stack: str) -> None:
        settings = settings_of(stack)
        wait = rules_of(settings)["ReplicaNotAnswering"]["for"]
        assert int(wait.removesuffix("s")) > timings_of(settings).startup_budget

    def test_the_objective_is_the_settings(self, stack: str) -> None:
        settings = settings_of(stack, timeToFirstTokenSeconds="1.5")
        for name in ("LatencyBudgetBurnsFast", "LatencyBudgetBurnsSlowly"):
            expression = rules_of(settings)[name]["expr"]
            assert expression.count("> 1.5") == 2

    def test_blindness_is_an_alert_where_something_scales(self, stack: str) -> None:
        settings = settings_of(stack)
        assert ("ScalingBlind" in rules_of(settings)) is settings.replicas.autoscaling

    def test_grafana_finds_the_dashboard(self, stack: str) -> None:
        settings = settings_of(stack)
        config = monitored(settings).one("ConfigMap")
        assert config.metadata["labels"]["grafana_dashboard"] == "1"
        assert config.metadata["namespace"] == settings.monitoring.namespace
        dashboard = dashboard_of(settings)
        assert len(dashboard["uid"]) <= 40
        assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def test_every_section_of_the_runbook_belongs_to_an_alert() -> None:
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs/alerts.md").read_text(), re.MULTILINE)
    assert set(sections) == set(rules_of(settings_of("aws-prod")))


def test_the_runbook_links_to_sections_that_exist() -> None:
    text = (ROOT / "docs/alerts.md").read_text()
    sections = {name.lower() for name in re.findall(r"^## (\w+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", text)) <= sections


def test_two_namespaces_have_two_dashboards() -> None:
    one, other = settings_of("dev"), settings_of("dev", namespace="llm2")
    assert dashboard_of(one)["uid"] != dashboard_of(other)["uid"]
