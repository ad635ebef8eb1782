"""Mistakes in the gateway's settings are told by their key, with a way out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

import pytest

from breakeven.errors import Problem
from breakeven.settings.files import stack_values
from breakeven.settings.parse import parse
from tests.each import each
from tests.recording import settings_of


def problems_of(values: Mapping[str, object], stack: str = "hybrid") -> tuple[Problem, ...]:
    wire = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()
    }
    return parse({**stack_values(stack), **wire})[1].problems


def teams(**rights: object) -> dict[str, object]:
    return {"teams": rights}


@each(
    "values, key, found, allowed",
    [
        ({"mode": "hybird"}, "mode", '"hybird"', "hybrid"),
        ({"teams": {}}, "teams", "nobody", "a name for each team"),
        ({"teams": ["chat"]}, "teams", '["chat"]', "a mapping"),
        (teams(Chat={}), "teams", '"Chat"', "lower-case"),
        (teams(chat=None), "teams", 'None for "chat"', "{} for no limit"),
        (teams(chat={"tokens": 1}), "teams", "'tokens'", "tokensPerDay"),
        (teams(chat={"tokensPerDay": 0}), "teams", "tokensPerDay 0", "1 or more"),
        (teams(chat={"tokensPerDay": "9"}), "teams", "tokensPerDay 9", "a whole number"),
        (teams(chat={"tokensPerDay": True}), "teams", "tokensPerDay True", "a whole number"),
        (teams(chat={"usdPerMonth": 5}), "teams", "usdPerMonth 5", "a string"),
        (teams(chat={"usdPerMonth": "0"}), "teams", "usdPerMonth 0", "more than 0"),
        (teams(chat={"usdPerMonth": "-1"}), "teams", "usdPerMonth -1", "more than 0"),
        (teams(chat={"usdPerMonth": "NaN"}), "teams", "usdPerMonth NaN", "more than 0"),
        # What is misspelt must not be taken for permission.
        (teams(chat={"dataMayLeave": "false"}), "teams", "dataMayLeave false", "without quotes"),
        (teams(chat={"dataMayLeave": 0}), "teams", "dataMayLeave 0", "true or false"),
        ({"teamKeysSecret": "Keys"}, "teamKeysSecret", '"Keys"', "Kubernetes name"),
        ({"gatewaySecret": ""}, "gatewaySecret", '""', "Kubernetes name"),
        ({"overflowKeySecret": "a b"}, "overflowKeySecret", '"a b"', "Kubernetes name"),
        ({"gatewayReplicas": 1}, "gatewayReplicas", '"1"', "2 to 50"),
        ({"gatewayImage": "docker.io/litellm/litellm:latest"}, "gatewayImage", "latest", "digest"),
        ({"gatewayStoreImage": "valkey:9"}, "gatewayStoreImage", '"valkey:9"', "digest"),
        ({"overflowAddress": "http://api.test/v1"}, "overflowAddress", "http://", "https://"),
        ({"overflowAddress": "https://api.test:8443/v1"}, "overflowAddress", ":8443", "443"),
        ({"overflowAddress": "https://api.test/v1/"}, "overflowAddress", "v1/", "slash"),
        ({"overflowAddress": "https://10.0.0.5/v1"}, "overflowAddress", "10.0.0.5", "no private"),
        ({"overflowAddress": "https://100.64.0.5/v1"}, "overflowAddress", "100.64", "no private"),
        ({"overflowAddress": "https://169.254.169.254/v1"}, "overflowAddress", "169", "no private"),
        ({"overflowAddress": "https://127.0.0.1/v1"}, "overflowAddress", "127.0", "no private"),
        ({"overflowAddress": "https://127.1:443/v1"}, "overflowAddress", "127.1", "no private"),
        ({"overflowAddress": "https://2130706433/v1"}, "overflowAddress", "2130", "no private"),
        ({"overflowAddress": "https://localhost/v1"}, "overflowAddress", "localhost", "no private"),
        ({"overflowTimeoutSeconds": 0}, "overflowTimeoutSeconds", '"0"', "1 to 3,600"),
        (
            {"apiInUse": "anthropic/claude-sonnet-4-5"},
            "overflowAddress",
            "no address is known for anthropic/claude-sonnet-4-5",
            "openai",
        ),
        (
            {"overflowRequestsPerReplica": 47},
            "overflowRequestsPerReplica",
            "47 is less than targetRequestsPerReplica 48",
            "48 or more",
        ),
        (
            {"minReplicas": 0, "dataMayLeave": False},
            "minReplicas",
            "0 with dataMayLeave false",
            "1 or more",
        ),
        ({"minReplicas": 0, "mode": "self-host"}, "minReplicas", "0 in mode self-host", "hybrid"),
        (
            {"loraAdapters": [f"sql=acme/sql@{'1' * 40}"]},
            "loraAdapters",
            "adapters in mode hybrid",
            "mode self-host",
        ),
    ],
)
def test_a_mistake_is_told_once_with_a_way_out(
    values: Mapping[str, object], key: str, found: str, allowed: str
) -> None:
    [problem] = problems_of(values)
    assert problem.key == key
    assert found in problem.found
    assert allowed in problem.allowed


def test_zero_replicas_need_something_that_starts_the_first() -> None:
    keys = [problem.key for problem in problems_of({"minReplicas": 0, "autoscaling": False})]
    assert "minReplicas" in keys


def test_all_mistakes_of_all_teams_are_told() -> None:
    values = teams(a={"tokensPerDay": -1}, b={"usdPerMonth": "x"}, c={"dataMayLeave": "yes"})
    assert len(problems_of(values)) == 3


def test_values_of_the_gateway_are_checked_in_mode_self_host_too() -> None:
    [problem] = problems_of({"gatewayReplicas": 0}, stack="dev")
    assert problem.key == "gatewayReplicas"


def test_self_hosting_has_no_gateway() -> None:
    assert not settings_of("dev").gateway.is_hybrid


def test_what_is_left_out_has_no_limit_and_may_leave() -> None:
    gateway = settings_of("hybrid", teams={"b": {}, "a": {"usdPerMonth": "1.50"}}).gateway
    first, second = gateway.teams
    assert (first.name, first.usd_per_month) == ("a", Decimal("1.50"))
    assert (second.tokens_per_day, second.usd_per_month) == (None, None)
    assert second.data_may_leave


def test_where_data_may_not_leave_no_api_is_known() -> None:
    assert settings_of("hybrid", dataMayLeave=False).overflow_api is None


@pytest.mark.parametrize("host", ["8.8.8.8", "api.example.com", "api.2cloud", "1.example"])
def test_an_address_of_the_internet_may_be_one_in_numbers(host: str) -> None:
    assert problems_of({"overflowAddress": f"https://{host}/v1"}) == ()


def test_an_address_of_ones_own_wins_over_the_providers() -> None:
    api = settings_of("hybrid", overflowAddress="https://proxy.example/openai/v1").overflow_api
    assert api is not None
    assert api.address == "https://proxy.example/openai/v1"
