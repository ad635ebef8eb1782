"""Who calls, what they may, and what they have used. Runs in the gateway's pod, beside LiteLLM.

Knows nothing of LiteLLM, so that its rules are tested without it.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol

_LOG = logging.getLogger("gateway")

NANO = 10**9
"""The store adds whole numbers: money is kept in billionths of a dollar, and sums stay exact."""

_DAY, _MONTH = 2 * 86_400, 40 * 86_400  # seconds that a sum is kept, longer than its period


@dataclass(frozen=True, slots=True)
class Team:
    """One team's rights; a limit is None where there is none."""

    name: str
    may_leave: bool
    tokens_per_day: int | None
    usd_per_month: Decimal | None


def read_teams(values: Mapping[str, Mapping[str, object]]) -> dict[str, Team]:
    """Reads the teams of policy.json; a key that is missing raises, it never means "allowed"."""
    return {
        name: Team(
            name=name,
            may_leave=rights["mayLeave"] is True,
            tokens_per_day=_whole(rights["tokensPerDay"]),
            usd_per_month=_money(rights["usdPerMonth"]),
        )
        for name, rights in values.items()
    }


class Keys:
    """The keys of a mounted Secret: one file for each team, by the team's name.

    Read again every few seconds, so that a key that is taken away stops working without a restart.
    """

    def __init__(self, folder: Path, seconds: float = 5) -> None:
        self._folder = folder
        self._seconds = seconds
        self._keys: dict[str, bytes] = {}
        self._shared: list[list[str]] = []
        self._read_at = float("-inf")

    def team_of(self, key: str) -> str | None:
        """Returns whose key it is; of several teams with the same one, the first by name.

        All are compared, so that time does not tell how near one is.
        """
        if time.monotonic() - self._read_at > self._seconds:
            self._keys = dict(self._read())
            self._read_at = time.monotonic()
            self._tell_shared()
        found = None
        for name, known in self._keys.items():
            if hmac.compare_digest(known, key.encode()):
                found = found or name
        return found

    def _read(self) -> Iterator[tuple[str, bytes]]:
        for file in sorted(self._folder.iterdir()):
            if file.name.startswith("."):
                continue
            try:
                content = file.read_bytes().strip()
            except FileNotFoundError:
                continue  # the kubelet puts other files in the place of these while they are read
            if content:
                yield file.name, content

    def _tell_shared(self) -> None:
        """Says which teams have the same key, when that changes: one of them pays for all."""
        teams: dict[bytes, list[str]] = {}
        for name, key in self._keys.items():
            teams.setdefault(key, []).append(name)
        shared = [names for names in teams.values() if len(names) > 1]
        if shared != self._shared:
            for names in shared:
                _LOG.error("teams %s have the same key", ", ".join(names))
        self._shared = shared


class Store(Protocol):
    """What the budgets need of a Valkey client."""

    def mget(self, keys: Sequence[str]) -> Awaitable[Sequence[str | bytes | None]]:
        """Returns values by key, None where there is none."""

    def incrby(self, name: str, amount: int) -> Awaitable[int]:
        """Adds, starting from 0."""

    def expire(self, name: str, time: int) -> Awaitable[bool]:
        """Removes a key after so many seconds."""


class Budgets:
    """What each team has used today and this month (UTC), in a store that all gateways share.

    A request is counted when its answer is complete, so a team can pass its limit by the requests
    that are under way when it reaches it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def exceeded(self, team: Team, now: datetime) -> str | None:
        """Tells which limit the team has reached, in words for its people; None while it has not.

        Raises:
            Exception: Whatever the store raises when it can't be asked.
        """
        if team.tokens_per_day is None and team.usd_per_month is None:
            return None
        values = await self._store.mget([_tokens_key(team.name, now), _money_key(team.name, now)])
        tokens, nano_usd = (int(value or 0) for value in values)
        if team.tokens_per_day is not None and tokens >= team.tokens_per_day:
            return f"team {team.name} has used its {team.tokens_per_day:,} tokens of today (UTC)"
        if team.usd_per_month is not None and nano_usd >= team.usd_per_month * NANO:
            return f"team {team.name} has used its ${team.usd_per_month:,} of this month (UTC)"
        return None

    async def add(self, team: str, tokens: int, usd: Decimal, now: datetime) -> None:
        """Adds a request's tokens and its price in USD."""
        for key, amount, kept in (
            (_tokens_key(team, now), tokens, _DAY),
            (_money_key(team, now), int(usd * NANO), _MONTH),
        ):
            await self._store.incrby(key, amount)
            await self._store.expire(key, kept)


def _tokens_key(team: str, now: datetime) -> str:
    return f"tokens:{team}:{now:%Y-%m-%d}"


def _money_key(team: str, now: datetime) -> str:
    return f"nano-usd:{team}:{now:%Y-%m}"


def _whole(value: object) -> int | None:
    return None if value is None else int(str(value))


def _money(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
