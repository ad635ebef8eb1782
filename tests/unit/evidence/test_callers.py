"""Who may call the model: every namespace, network, team and Secret that the stack names."""

from __future__ import annotations

from typing import Any

import pytest

from breakeven.evidence.callers import callers
from breakeven.planning.offline import manifests_of_stack
from breakeven.policy.manifest import Resource
from tests.recording import STACKS


def found(stack: str) -> dict[str, Any]:
    resources, read = manifests_of_stack(stack)
    return callers(resources, read)


@pytest.mark.parametrize("stack", STACKS)
def test_every_client_namespace_and_network_is_named(stack: str) -> None:
    _, read = manifests_of_stack(stack)
    sources = {row["from"] for row in found(stack)["byNetwork"]}
    for namespace in read.network.client_namespaces:
        assert f"namespace {namespace}, all pods" in sources
    for network in read.network.client_networks:
        assert f"network {network}" in sources


def test_a_stack_without_gateway_has_one_key_and_records_nobody() -> None:
    said = found("on-prem")
    assert said["byKey"] == [{"caller": "everybody with the key", "secret": "vllm-api-key/api-key"}]
    assert not said["recordsWhoAsked"]
    assert said["transport"] == "http"


def test_a_stack_with_a_gateway_names_each_team_with_its_key_and_limits() -> None:
    _, read = manifests_of_stack("hybrid")
    said = found("hybrid")
    assert said["recordsWhoAsked"]
    assert {row["caller"] for row in said["byKey"]} == {
        f"team {name}" for name in read.gateway.teams
    }
    for row in said["byKey"]:
        team = read.gateway.teams[row["caller"].removeprefix("team ")]
        assert row["dataMayLeave"] == team.data_may_leave
        assert row["tokensPerDay"] == team.tokens_per_day


def test_transport_with_a_certificate_is_https() -> None:
    assert found("aws-prod")["transport"] == "https"


def test_pods_that_no_policy_selects_are_open_to_everybody() -> None:
    resources, read = manifests_of_stack("on-prem")
    bare: list[Resource] = [each for each in resources if not each.is_network_policy]
    sources = {row["from"] for row in callers(bare, read)["byNetwork"]}
    assert sources == {"everybody, because no network policy selects these pods"}
