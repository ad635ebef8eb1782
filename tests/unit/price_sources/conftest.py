"""Fixtures: a provider, and a client that does not wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from breakeven.price_sources.client import Client, Limits
from tests.unit.price_sources.provider import Provider, providing

PATIENT = Limits(largest_bytes=1 << 20, longest_seconds=30, silent_seconds=10, connect_seconds=10)
IMPATIENT = replace(PATIENT, longest_seconds=0.6, silent_seconds=0.3)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as running:
        yield running


@pytest.fixture
def waited() -> list[float]:
    """Seconds that the client would have waited between attempts."""
    return []


@pytest.fixture
def limits() -> Limits:
    return PATIENT


@pytest.fixture
def client(
    waited: list[float], limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    fetching = Client(limits, sleep=waited.append)
    yield fetching
    fetching.close()
