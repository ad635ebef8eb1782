"""Keys and budgets of the gateway's policy."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_teams import NANO, Budgets, Keys, Team, read_teams

NOW = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
TOMORROW = datetime(2026, 12, 1, tzinfo=UTC)


class Store:
    """A stand-in for Valkey: a dictionary."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.kept: dict[str, int] = {}

    async def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        return [str(self.values[key]).encode() if key in self.values else None for key in keys]

    async def incrby(self, name: str, amount: int) -> int:
        self.values[name] = self.values.get(name, 0) + amount
        return self.values[name]

    async def expire(self, name: str, time: int) -> bool:
        self.kept[name] = time
        return True


def team(tokens: int | None = None, usd: str | None = None) -> Team:
    money = None if usd is None else Decimal(usd)
    return Team(name="a", may_leave=True, tokens_per_day=tokens, usd_per_month=money)


def exceeded(store: Store, one: Team, now: datetime = NOW) -> str | None:
    return asyncio.run(Budgets(store).exceeded(one, now))


def add(store: Store, tokens: int, usd: str, now: datetime = NOW) -> None:
    asyncio.run(Budgets(store).add("a", tokens, Decimal(usd), now))


def test_a_limit_is_reached_at_its_last_token() -> None:
    store = Store()
    add(store, 99, "0")
    assert exceeded(store, team(tokens=100)) is None
    add(store, 1, "0")
    assert "100 tokens of today" in str(exceeded(store, team(tokens=100)))


def test_a_new_day_has_new_tokens_and_a_new_month_new_money() -> None:
    store = Store()
    add(store, 100, "5")
    assert exceeded(store, team(tokens=100, usd="5")) is not None
    assert exceeded(store, team(tokens=100, usd="5"), TOMORROW) is None


def test_money_lasts_the_month() -> None:
    store = Store()
    add(store, 1, "5", datetime(2026, 11, 1, tzinfo=UTC))
    assert "$5 of this month" in str(exceeded(store, team(usd="5")))


def test_sums_outlive_their_period() -> None:
    store = Store()
    add(store, 1, "1")
    assert store.kept == {"tokens:a:2026-11-30": 2 * 86_400, "nano-usd:a:2026-11": 40 * 86_400}


def test_a_team_without_limits_needs_no_store() -> None:
    class Broken(Store):
        async def mget(self, keys: Sequence[str]) -> list[bytes | None]:
            raise ConnectionError(keys)

    assert exceeded(Broken(), team()) is None
    with pytest.raises(ConnectionError):
        exceeded(Broken(), team(tokens=1))


@given(st.lists(st.integers(1, 10**12)))
def test_sums_of_money_are_exact(parts: list[int]) -> None:
    store = Store()
    for part in parts:
        add(store, 0, str(Decimal(part) / NANO))
    assert sum(store.values.values()) == sum(parts)


def test_keys_are_known_by_their_file_and_go_with_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("sk-a\n")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "..data").write_text("sk-hidden")
    keys = Keys(tmp_path, seconds=0)
    assert keys.team_of("sk-a") == "a"
    for wrong in ("", "sk-", "sk-aa", "sk-hidden", "SK-A"):
        assert keys.team_of(wrong) is None
    (tmp_path / "a").write_text("sk-new")
    assert keys.team_of("sk-a") is None
    assert keys.team_of("sk-new") == "a"
    (tmp_path / "a").unlink()
    assert keys.team_of("sk-new") is None


def test_a_key_that_vanishes_while_keys_are_read_takes_no_other_with_it(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "..gone" / "a")
    (tmp_path / "b").write_text("sk-b")
    assert Keys(tmp_path, seconds=0).team_of("sk-b") == "b"


def test_teams_with_the_same_key_are_named_and_the_key_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("c", "a", "b"):
        (tmp_path / name).write_text("sk-other" if name == "b" else "sk-secret")
    keys = Keys(tmp_path, seconds=0)
    for _ in range(2):
        assert keys.team_of("sk-secret") == "a"
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "a, c" in caplog.text
    assert "sk-" not in caplog.text


@pytest.mark.parametrize("missing", ["mayLeave", "tokensPerDay", "usdPerMonth"])
def test_a_right_that_is_missing_is_no_right(missing: str) -> None:
    rights: dict[str, object] = {"mayLeave": True, "tokensPerDay": None, "usdPerMonth": None}
    assert read_teams({"a": rights})["a"].may_leave
    del rights[missing]
    with pytest.raises(KeyError):
        read_teams({"a": rights})


@pytest.mark.parametrize("odd", [1, "true", "false", None, [True]])
def test_only_true_lets_data_leave(odd: object) -> None:
    rights = {"mayLeave": odd, "tokensPerDay": None, "usdPerMonth": None}
    assert not read_teams({"a": rights})["a"].may_leave
