"""Mistakes in the gateway's settings are reported by key, with a fix."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from breakeven.errors import Problem, SettingsError
from breakeven.settings.files import stack_values, with_settings
from breakeven.settings.parse import parse
from tests.each import each
from tests.recording import settings_of


def problems_of(values: Mapping[str, object], stack: str = "hybrid") -> tuple[Problem, ...]:
    return parse(with_settings(stack_values(stack), values))[1]


def teams(**rights: object) -> dict[str, object]:
    return {"gateway.teams": rights}


@each(
    "values, key, found, allowed",
    [
        ({"gateway.mode": "hybird"}, "gateway.mode", '"hybird"', "hybrid"),
        ({"gateway.teams": {}}, "gateway.teams", "nobody", "a name for each team"),
        ({"gateway.teams": ["chat"]}, "gateway.teams", '["chat"]', "a mapping"),
        (teams(Chat={}), "gateway.teams.Chat", '"Chat"', "lower-case"),
        (teams(chat=None), "gateway.teams.chat", "null", "a mapping of any of tokensPerDay"),
        (
            teams(chat={"tokensADay": 1}),
            "gateway.teams.chat.tokensADay",
            "unknown setting 'tokensADay'",
            "tokensPerDay",
        ),
        (teams(chat={"tokensPerDay": 0}), "gateway.teams.chat.tokensPerDay", '"0"', "1 to"),
        (
            teams(chat={"tokensPerDay": True}),
            "gateway.teams.chat.tokensPerDay",
            '"true"',
            "a whole number",
        ),
        *(
            (
                teams(chat={"usdPerMonth": value}),
                "gateway.teams.chat.usdPerMonth",
                f'"{value}"',
                "more than 0",
            )
            for value in ("0", "-1", "NaN")
        ),
        # What is misspelt must not be taken for permission.
        *(
            (
                teams(chat={"dataMayLeave": value}),
                "gateway.teams.chat.dataMayLeave",
                f'"{value}"',
                "true or false",
            )
            for value in ("no", 0)
        ),
        ({"gateway.teamKeysSecret": "Keys"}, "gateway.teamKeysSecret", '"Keys"', "Kubernetes name"),
        (
            {"gateway.overflow.keySecret": "a b"},
            "gateway.overflow.keySecret",
            '"a b"',
            "Kubernetes name",
        ),
        ({"gateway.replicas": 1}, "gateway.replicas", '"1"', "2 to 50"),
        (
            {"gateway.image": "docker.io/envoyproxy/envoy:latest"},
            "gateway.image",
            "latest",
            "digest",
        ),
        ({"gateway.storeImage": "valkey:9"}, "gateway.storeImage", '"valkey:9"', "digest"),
        (
            {"gateway.overflow.address": "http://api.test/v1"},
            "gateway.overflow.address",
            "http://",
            "https://",
        ),
        (
            {"gateway.overflow.address": "https://api.test:8443/v1"},
            "gateway.overflow.address",
            ":8443",
            "443",
        ),
        (
            {"gateway.overflow.address": "https://api.test/v1/"},
            "gateway.overflow.address",
            "v1/",
            "slash",
        ),
        (
            {"gateway.overflow.address": "https://10.0.0.5/v1"},
            "gateway.overflow.address",
            "10.0.0.5",
            "a public host",
        ),
        (
            {"gateway.overflow.address": "https://100.64.0.5/v1"},
            "gateway.overflow.address",
            "100.64",
            "a public host",
        ),
        (
            {"gateway.overflow.address": "https://169.254.169.254/v1"},
            "gateway.overflow.address",
            "169",
            "a public host",
        ),
        (
            {"gateway.overflow.address": "https://127.0.0.1/v1"},
            "gateway.overflow.address",
            "127.0",
            "a public host",
        ),
        (
            {"gateway.overflow.address": "https://127.1:443/v1"},
            "gateway.overflow.address",
            "127.1",
            "a public host",
        ),
        (
            {"gateway.overflow.address": "https://2130706433/v1"},
            "gateway.overflow.address",
            "2130",
            "a public host",
        ),
        (
            {"gateway.overflow.address": "https://localhost/v1"},
            "gateway.overflow.address",
            "localhost",
            "a public host",
        ),
        (
            {"gateway.overflow.timeoutSeconds": 0},
            "gateway.overflow.timeoutSeconds",
            '"0"',
            "1 to 3,600",
        ),
        (
            {"api.inUse": "anthropic/claude-sonnet-4-5"},
            "gateway.overflow.address",
            "no address is known for anthropic/claude-sonnet-4-5",
            "openai",
        ),
        (
            {"gateway.overflow.requestsPerReplica": 47},
            "gateway.overflow.requestsPerReplica",
            "47 is less than replicas.targetRequests 48",
            "48 or more",
        ),
        (
            {"replicas.min": 0, "gateway.mode": "self-host"},
            "replicas.min",
            "0 without a gateway",
            "gateway.enabled",
        ),
    ],
)
def test_a_mistake_is_reported_once_with_its_fix(
    values: Mapping[str, object], key: str, found: str, allowed: str
) -> None:
    [problem] = problems_of(values)
    assert problem.key == key
    assert found in problem.found
    assert allowed in problem.allowed


def test_with_a_gateway_zero_replicas_need_no_api() -> None:
    assert not problems_of({"replicas.min": 0, "network.dataMayLeave": False})
    assert not problems_of(
        {"replicas.min": 0, "gateway.mode": "self-host", "gateway.enabled": True}
    )
    several = {"models[0].replicas.min": 0, "gateway.enabled": True, "gateway.teams": {"chat": {}}}
    assert not problems_of(several, stack="two-models")


def test_zero_replicas_need_something_that_starts_the_first() -> None:
    keys = [
        problem.key for problem in problems_of({"replicas.min": 0, "replicas.autoscaling": False})
    ]
    assert "replicas.min" in keys


def test_all_mistakes_of_all_teams_are_reported() -> None:
    values = teams(a={"tokensPerDay": -1}, b={"usdPerMonth": "x"}, c={"dataMayLeave": "yes"})
    assert len(problems_of(values)) == 3


def test_values_of_the_gateway_are_checked_in_mode_self_host_too() -> None:
    [problem] = problems_of({"gateway.replicas": 0}, stack="dev")
    assert problem.key == "gateway.replicas"


def test_self_hosting_has_no_gateway() -> None:
    assert not settings_of("dev").gateway.is_hybrid


def test_what_is_left_out_has_no_limit_and_may_leave() -> None:
    gateway = settings_of(
        "hybrid", **{"gateway.teams": {"b": {}, "a": {"usdPerMonth": "1.50"}}}
    ).gateway
    assert [*gateway.teams] == ["a", "b"]
    first, second = gateway.teams.values()
    assert first.usd_per_month == Decimal("1.50")
    assert (second.tokens_per_day, second.usd_per_month) == (None, None)
    assert second.data_may_leave


def test_where_data_may_not_leave_no_api_is_known() -> None:
    assert settings_of("hybrid", **{"network.dataMayLeave": False}).overflow_api is None


@pytest.mark.parametrize("host", ["8.8.8.8", "api.example.com", "api.2cloud", "1.example"])
def test_an_address_of_the_internet_may_be_one_in_numbers(host: str) -> None:
    assert problems_of({"gateway.overflow.address": f"https://{host}/v1"}) == ()


def test_an_address_of_ones_own_wins_over_the_providers() -> None:
    api = settings_of(
        "hybrid", **{"gateway.overflow.address": "https://proxy.example/openai/v1"}
    ).overflow_api
    assert api is not None
    assert api.address == "https://proxy.example/openai/v1"


def test_a_gateway_in_mode_self_host_needs_teams_and_has_no_api() -> None:
    with pytest.raises(SettingsError, match=r"gateway\.teams"):
        settings_of("dev", **{"gateway.enabled": True})
    found = settings_of("dev", **{"gateway.enabled": True, "gateway.teams": {"chat": {}}})
    assert found.gateway.is_on
    assert not found.gateway.is_hybrid
    assert found.overflow_api is None
    assert not found.separates_inside
