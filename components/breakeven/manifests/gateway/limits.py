"""Limits of teams for the rate limit service, and limits of waiting in the gateway."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from breakeven.manifests.gateway.labels import trials_of
from breakeven.manifests.serving.timings import start_after_reading
from breakeven.settings.gateway import GatewaySettings, TeamSettings
from breakeven.settings.stack import Settings

DOMAIN = "gateway"

# A limit is a uint32, and Envoy adds at most this for one request: so one request that costs more
# than a whole budget still uses it up.
_MOST = 10**9
_NANO = 10**9


def unit(team: TeamSettings) -> int:
    """Returns the unit of a team's budget, in billionths of a dollar.

    The smallest power of ten for which the limit fits the counter: 1 up to $1, 10,000 for $10,000.
    """
    if team.usd_per_month is None:
        return 1
    found = 1
    while team.usd_per_month * _NANO / found > _MOST:
        found *= 10
    return found


def limits(gateway: GatewaySettings) -> dict[str, Any]:
    """Returns the limits of all teams.

    The month is part of a counter's name, and its limit one of the service's "year", which is 365
    days from 1970 on and so begins on 17 or 18 December for decades. A counter begins again on that
    day, so December has two, each with half the budget.
    """
    descriptors: list[dict[str, Any]] = []
    for name, team in gateway.teams.items():
        if team.tokens_per_day is not None:
            descriptors.append(_limit("tokens", name, "day", team.tokens_per_day))
        if team.requests_per_minute is not None:
            # The API's are counted once more, where a request waits for the answer: so many go out,
            # at most, whatever fails.
            descriptors += [
                _limit(key, name, "minute", team.requests_per_minute)
                for key in ("requests", "api_requests")
            ]
        if team.usd_per_month is not None:
            units = int(team.usd_per_month * _NANO / unit(team))
            months = [
                _limit("month", "12-*", "year", units // 2),
                {"key": "month", "rate_limit": {"unit": "year", "requests_per_unit": units}},
            ]
            descriptors.append({"key": "usd", "value": name, "descriptors": months})
    return {"domain": DOMAIN, "descriptors": descriptors}


def is_limited(team: TeamSettings) -> bool:
    """Tells whether the team has a limit that must be counted."""
    limits = (team.tokens_per_day, team.usd_per_month, team.requests_per_minute)
    return any(limit is not None for limit in limits)


def requests_in_flight(settings: Settings, gateway: GatewaySettings, team: TeamSettings) -> int:
    """Returns the maximum requests of a team in flight at one gateway pod.

    Without a stated limit: as many as all own replicas take. So no request that they could serve is
    rejected, and requests that are at an API when a budget is used up are limited.
    """
    if team.requests_in_flight is not None:
        return team.requests_in_flight
    replicas = settings.replicas.max + sum(other.highest for other in settings.co_located)
    replicas += sum(tried.settings.replicas.max for _, _, tried in trials_of(settings))
    return replicas * gateway.overflow.requests_per_replica


@dataclass(frozen=True, slots=True)
class Hold:
    """How a gateway pod holds requests while no replica is ready.

    Envoy has no queue for a cluster without endpoints, but it waits between the tries of a request,
    and counts those that wait.

    Attributes:
        requests: Maximum number held; with the largest bodies, those of all models take
            `_HELD_BYTES`.
        tries: After the first one, each `HOLD_INTERVAL_SECONDS` after the one before; Envoy adds up
            to half of that at random.
    """

    requests: int
    tries: int

    @property
    def least_seconds(self) -> int:
        """Minimum time that a request is held if no replica becomes ready."""
        return self.tries * HOLD_INTERVAL_SECONDS

    @property
    def most_seconds(self) -> int:
        """Maximum time that a request is held."""
        return math.ceil(self.least_seconds * 1.5)


HOLD_INTERVAL_SECONDS = 2
_HELD_BYTES = 256 * 2**20
"""A quarter of a pod's memory, because other requests need memory too."""
_NOTICED_SECONDS = 60
"""From a request to the decision to start a replica: Prometheus and KEDA each look every 15 s."""
_START_FACTOR = 1.5


def holds_of(settings: Settings, gateway: GatewaySettings) -> Mapping[str, Hold]:
    """Returns how requests are held, by the name of their model's objects.

    A model of which a replica always runs is not in it. The others share the memory equally.
    """
    reads = {settings.name: settings.weights_read_seconds} if not settings.replicas.min else {}
    reads |= {one.name: one.weights_read_seconds for one in settings.co_located if not one.lowest}
    most = _HELD_BYTES // (gateway.max_body_megabytes * 2**20)
    found = {}
    for name, read in reads.items():
        start = start_after_reading(read, new_node=settings.pool.can_grow)
        seconds = _START_FACTOR * start + _NOTICED_SECONDS
        tries = math.ceil(seconds / HOLD_INTERVAL_SECONDS)
        found[name] = Hold(requests=max(most // len(reads), 1), tries=tries)
    return found


def longest_answer(settings: Settings, gateway: GatewaySettings) -> int:
    """Returns the maximum seconds of an answer from own replicas or an API."""
    own = longest_of_own(settings)
    longest = max(own, gateway.overflow.timeout_seconds) if settings.overflow_apis else own
    held = (hold.most_seconds for hold in holds_of(settings, gateway).values())
    return longest + max(held, default=0)


def longest_of_own(settings: Settings) -> int:
    """Returns the maximum seconds of an answer from own replicas."""
    others = (other.longest_request_seconds for other in settings.co_located)
    return max(settings.engine.longest_request_seconds, *others, 0)


def nano_per_token(per_million: Decimal) -> float:
    """Returns billionths of a dollar per token; 15 digits exceed the precision of any price."""
    return float(per_million * 1000)


def _limit(key: str, value: str, unit: str, most: int) -> dict[str, Any]:
    return {
        "key": key,
        "value": value,
        "rate_limit": {"unit": unit, "requests_per_unit": most},
    }
