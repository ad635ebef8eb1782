"""The programs of docs/examples that make a cluster: what they register, and what it costs.

With Pulumi's mocks and stand-ins for the clouds' packages; never run against an account.
"""

from __future__ import annotations

import ast
import atexit
import runpy
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from breakeven.planning.offline import load_values
from breakeven.resources.price_stack import Priced
from breakeven.settings.files import ROOT
from tests.mock_engine import Registered, registered_by
from tests.unit.cost.builders import TODAY
from tests.unit.examples import cloud_packages

EXAMPLES = ROOT / "docs" / "examples"
CLUSTERS = ("eks", "gke", "aks")
CONTROL = {
    "eks": "aws:eks/cluster:Cluster",
    "gke": "gcp:container/cluster:Cluster",
    "aks": "azure-native:containerservice:ManagedCluster",
}


def program(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / name / "__main__.py"))


@pytest.fixture(params=CLUSTERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ran(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Registered], Priced]:
    """What one of the programs registers at preview, and its count."""
    cloud_packages.put_in_place(monkeypatch)
    counts: list[Priced] = []

    def noted(_function: object, *arguments: object) -> None:
        counts.extend(one for one in arguments if isinstance(one, Priced))

    monkeypatch.setattr(atexit, "register", noted)
    _, registered = registered_by(program(name)["main"])
    [counted] = counts
    # The engine calls transforms; the mocks have none.
    for one in registered:
        counted.ledger._observe(
            pulumi.ResourceTransformArgs(
                custom=not one.type.startswith("breakeven:"),
                type_=one.type,
                name=one.name,
                props=dict(one.inputs),
                opts=pulumi.ResourceOptions(),
            )
        )
    return registered, counted


def test_it_makes_a_cluster_and_puts_the_stack_into_it(
    name: str, ran: tuple[list[Registered], Priced]
) -> None:
    registered, _ = ran
    by_type = {resource.type: resource for resource in registered}
    control = by_type[CONTROL[name]]
    providers = {one.name: one for one in registered if one.type == "pulumi:providers:kubernetes"}
    assert providers.keys() == {"llm", "stack"}
    helm = [one for one in registered if ":helm.sh/" in one.type]
    assert helm
    assert all(providers["stack"].depends_on(one) for one in helm)
    assert {one.provider.rpartition("::")[0] for one in helm} == {providers["llm"].urn}
    stack = [one for one in registered if one.provider.startswith(providers["stack"].urn)]
    assert len(stack) > 10
    others = [one for one in registered if one.type.startswith("kubernetes:") and not one.provider]
    assert others == []
    assert control.name == "llm"
    assert by_type["kubernetes:apps/v1:Deployment"].inputs["metadata"]["name"] == "model"


def test_everything_is_priced_or_reported(ran: tuple[list[Registered], Priced]) -> None:
    """The control plane and the nodes that the program makes are in the total."""
    _, counted = ran
    infrastructure = counted.infrastructure()
    kinds = {line.kind for line in infrastructure.lines}
    assert infrastructure.monthly > 100
    assert "control-plane" in kinds, counted.text()
    assert "machine" in kinds, counted.text()


def test_its_settings_can_be_estimated_and_name_no_secret(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud_packages.put_in_place(monkeypatch)
    settings: Mapping[str, object] = program(name)["SETTINGS"]
    report = load_values(name, settings, TODAY).report()
    assert report.total > 0
    assert report.infrastructure.not_priced == ()


def test_none_of_the_packages_is_one_of_the_project() -> None:
    for cluster in CLUSTERS:
        [line] = (EXAMPLES / cluster / "requirements.txt").read_text().splitlines()
        package = line.partition("==")[0]
        for file in ("requirements.txt", "requirements-dev.txt", "pyproject.toml"):
            assert f"{package}==" not in (ROOT / file).read_text(encoding="utf-8")


def test_versions_are_those_that_preflight_names() -> None:
    add_ons = (ROOT / "components/breakeven/cluster/data/add_ons.json").read_text(encoding="utf-8")
    for cluster in CLUSTERS:
        tree = ast.parse((EXAMPLES / cluster / "__main__.py").read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        arguments = [{one.arg: one.value for one in call.keywords} for call in calls]
        versions = [
            ast.literal_eval(each["version"])
            for each in arguments
            if "chart" in each and ast.literal_eval(each["chart"]) == "kube-prometheus-stack"
        ]
        assert versions
        assert all(f'"version": "{version}"' in add_ons for version in versions)
