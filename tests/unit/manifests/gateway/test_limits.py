"""Teams' limits as the rate limit service reads them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.manifests.gateway.limits import is_limited, limits, requests_in_flight, unit
from breakeven.settings.gateway import GatewaySettings, TeamSettings
from tests.recording import settings_of

MOST_OF_ONE_REQUEST = 10**9
"""That Envoy adds; a budget of more units could not be used up by one request that costs it all."""


def of(**rights: object) -> list[dict[str, Any]]:
    return list(limits(gateway(**rights))["descriptors"])


def gateway(**rights: object) -> GatewaySettings:
    return settings_of("hybrid", **{"gateway.teams": {"a": rights}}).gateway


def team(**rights: object) -> TeamSettings:
    return gateway(**rights).teams["a"]


def test_each_limit_has_its_own_counter_and_period() -> None:
    found = of(tokensPerDay=50, requestsPerMinute=7)
    assert found == [
        {
            "key": "tokens",
            "value": "a",
            "rate_limit": {"unit": "day", "requests_per_unit": 50},
        },
        *(
            {
                "key": key,
                "value": "a",
                "rate_limit": {"unit": "minute", "requests_per_unit": 7},
            }
            for key in ("requests", "api_requests")
        ),
    ]


def test_a_team_without_limits_is_asked_for_nowhere() -> None:
    assert of() == []
    assert not is_limited(team())
    assert is_limited(team(requestsPerMinute=1))


def test_a_team_that_names_no_number_in_flight_has_what_all_own_replicas_take() -> None:
    overrides = {"replicas.max": 3, "gateway.overflow.requestsPerReplica": 50}
    for rights, most in (({}, 150), ({"requestsInFlight": 7}, 7)):
        stack = settings_of("hybrid", **{"gateway.teams": {"a": rights}, **overrides})
        assert requests_in_flight(stack, stack.gateway, stack.gateway.teams["a"]) == most


@settings(max_examples=30, deadline=None)
@given(st.decimals(Decimal("0.00001"), Decimal("1e9"), places=5))
def test_any_budget_fits_the_counter_to_a_billionth_part(usd: Decimal) -> None:
    [months] = of(usdPerMonth=f"{usd:f}")
    scale = unit(team(usdPerMonth=f"{usd:f}"))
    [december, other] = months["descriptors"]
    units = other["rate_limit"]["requests_per_unit"]
    assert 0 < units <= MOST_OF_ONE_REQUEST
    assert 0 <= usd * 10**9 - units * scale < scale
    assert scale == 1 or units > MOST_OF_ONE_REQUEST // 100
    # The period of the service begins again within December: never more than the budget in all.
    assert december["value"] == "12-*"
    assert december["rate_limit"]["requests_per_unit"] * 2 <= units
