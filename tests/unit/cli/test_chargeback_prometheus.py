"""What teams used is asked of Prometheus by the names that the gateway has."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from breakeven.cli.chargeback import uses
from tests.recording import settings_of

KNOWN = Path("tests/unit/manifests/monitoring/metrics-catalogue.json")


def test_tokens_and_dollars_are_the_gateways_own_counters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def answer(_address: str, _path: str, query: dict[str, str], _token: str) -> str:
        asked.append(query["query"])
        value = "1500000000" if "nano_usd" in query["query"] else "1000"
        series = [
            {"metric": {"team": "chat", "model": "m", "to": to}, "value": [0, value]}
            for to in ("own", "api")
        ]
        return json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}})

    monkeypatch.setattr(uses, "fetch_answer", answer)
    [use] = uses.uses_of_prometheus("http://prometheus", settings_of("hybrid"), 30)
    assert (use.team, use.own_tokens, use.api_usd) == ("chat", Decimal(1000), Decimal("1.5"))
    named = {name for query in asked for name in re.findall(r"increase\((\w+)\{", query)}
    assert named == {
        "envoy_gateway_input_tokens",
        "envoy_gateway_output_tokens",
        "envoy_gateway_nano_usd",
    }
    catalogue = KNOWN.read_text(encoding="utf-8")
    assert all(f'"{name}"' in catalogue for name in named)
