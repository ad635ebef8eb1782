"""Dashboards: Grafana finds them, they are whole, and they are of one stack."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.recording import settings_of
from tests.unit.manifests.monitoring.stacks import MONITORED, dashboards_of, monitored

READERS = ("on-call", "capacity", "finance")


def boards(stack: str) -> list[tuple[str, Any]]:
    found = dashboards_of(settings_of(stack))
    assert tuple(sorted(found)) == tuple(sorted(READERS))
    return sorted(found.items())


@pytest.mark.parametrize("stack", MONITORED)
class TestEveryStack:
    def test_grafana_finds_them(self, stack: str) -> None:
        settings = settings_of(stack)
        for config in monitored(settings).of("ConfigMap"):
            assert config.metadata["labels"]["grafana_dashboard"] == "1"
            assert config.metadata["namespace"] == settings.monitoring.namespace

    def test_they_are_read_back_as_they_were_written(self, stack: str) -> None:
        # By the types that are generated from Grafana's own schema.
        register_default_plugins()
        for _, dashboard in boards(stack):
            again = json.loads(json.dumps(Dashboard.from_json(dashboard), cls=JSONEncoder))
            for panel in again["panels"]:
                defaults = panel.get("fieldConfig", {}).get("defaults", {})
                if defaults.get("custom") == {}:
                    del defaults["custom"]  # reading adds it where there is none
            assert again == dashboard

    def test_panels_have_numbers_of_their_own_and_say_what_they_tell(self, stack: str) -> None:
        for _, dashboard in boards(stack):
            panels = dashboard["panels"]
            assert len({panel["id"] for panel in panels}) == len(panels)
            shown = [panel for panel in panels if panel["type"] != "row"]
            assert len({panel["title"] for panel in shown}) == len(shown)
            assert all(panel["description"] and panel["targets"] for panel in shown)

    def test_panels_stand_side_by_side_within_the_grid(self, stack: str) -> None:
        for _, dashboard in boards(stack):
            places = [panel["gridPos"] for panel in dashboard["panels"]]
            for place in places:
                assert place["x"] + place["w"] <= 24
            for one, other in combinations(places, 2):
                beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
                above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
                assert beside or above

    def test_every_query_goes_to_the_prometheus_that_is_chosen(self, stack: str) -> None:
        for _, dashboard in boards(stack):
            [variable] = dashboard["templating"]["list"]
            assert variable["name"] == "datasource"
            for panel in dashboard["panels"]:
                for target in panel.get("targets", []):
                    assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}

    def test_their_address_is_short_enough(self, stack: str) -> None:
        for _, dashboard in boards(stack):
            assert len(dashboard["uid"]) <= 40


def test_two_namespaces_have_dashboards_of_their_own() -> None:
    one = {dashboard["uid"] for _, dashboard in boards("dev")}
    other = {
        dashboard["uid"]
        for dashboard in dashboards_of(settings_of("dev", **{"network.namespace": "llm2"})).values()
    }
    assert len(one) == len(READERS)
    assert not one & other
