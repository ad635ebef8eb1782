"""Who asked, for which model, what it used, where and why: logged and counted, never a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from breakeven.manifests.gateway.typed import extension, noted

# Names of metrics and fields of the log, by what usage.lua calls them.
_SUMS = {"input_tokens": "input", "output_tokens": "output", "nano_usd": "nano"}


def records(to: str) -> list[dict[str, Any]]:
    """Logs and counts a listener's requests.

    What an inner listener answers it logs itself; `clients` logs what failed.

    Args:
        to: The listener.
    """
    is_inner = to != "clients"
    # Which of a team's keys, so that a rotation ends when nobody uses the old one.
    known = ("team", "model", "route") if is_inner else ("team", "key")
    names = {"to": to, **{name: noted(name) for name in known}}
    outcome = {"status": "%RESPONSE_CODE%", "why": "%RESPONSE_FLAGS%"}
    sums = _SUMS if is_inner else {}
    fields = {
        "time": "%START_TIME%",
        "request": "%REQ(X-REQUEST-ID)%",
        **names,
        **outcome,
        **{name: noted(known) for name, known in sums.items()},
        "milliseconds": "%DURATION%",
    }
    failed = {"op": "GE", "value": {"default_value": 400, "runtime_key": "none"}}
    counters = [
        {"stat": {"name": "requests", "tags": _tags({**names, **outcome})}, "value_fixed": 1},
        *(
            {
                "stat": {"name": name, "tags": _tags(names)},
                "value_format": noted(known),
            }
            for name, known in sums.items()
        ),
    ]
    return [
        {
            **({} if is_inner else {"filter": {"status_code_filter": {"comparison": failed}}}),
            **extension(
                "envoy.access_loggers.stdout",
                "extensions.access_loggers.stream.v3.StdoutAccessLog",
                log_format={"json_format": fields},
            ),
        },
        extension(
            "envoy.access_loggers.stats",
            "extensions.access_loggers.stats.v3.Config",
            # All names are the stack's own; the bound is for what nobody thought of.
            stats_scope={"prefix": "gateway", "max_counters": 20000},
            counters=counters,
        ),
    ]


def _tags(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value_format": form} for name, form in values.items()]
