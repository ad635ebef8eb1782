# ruff: noqa: INP001  # a script that guidellm's image runs, not a package
"""Runs guidellm in a pod of `breakeven measure --in-cluster`, and leaves its figures behind.

The configuration is mounted, and so is the key. The figures that `breakeven measure` reads go
into the pod's termination message, which holds 4,096 bytes and needs no right to read logs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_CONFIGURATION = Path(__file__).with_name("run.json")
_SCRATCH = Path(os.environ.get("MEASURE_SCRATCH", "/tmp"))  # noqa: S108  # an emptyDir of the pod
_MESSAGE = Path(os.environ.get("MEASURE_MESSAGE", "/dev/termination-log"))
_KEY = Path(os.environ.get("MEASURE_KEY_FILE", "/key/key"))
_METRICS = (
    "prompt_token_count",
    "output_token_count",
    "output_tokens_per_second",
    "request_concurrency",
    "time_to_first_token_ms",
    "inter_token_latency_ms",
)


def main() -> int:
    """Run guidellm; the exit code is 0 if there is a result."""
    key = _KEY.read_text(encoding="utf-8").strip() if _KEY.is_file() else ""
    configuration = json.loads(_CONFIGURATION.read_text(encoding="utf-8"))
    if key:
        configuration["spec"]["backend"]["api_key"] = key
    result = _SCRATCH / "result.json"
    configuration["spec"]["outputs"] = [{"kind": "json", "path": str(result)}]
    settings = _SCRATCH / "run.json"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps(configuration), encoding="utf-8")
    done = subprocess.run(
        ["guidellm", "run", "-c", str(settings), "--disable-console-interactive"],  # noqa: S607  # of the image
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    settings.unlink()
    if not result.is_file():
        last = (done.stdout.strip().splitlines() or ["it said nothing"])[-1]
        _MESSAGE.write_text((last.replace(key, "***") if key else last)[:1000], encoding="utf-8")
        return 1
    _MESSAGE.write_text(json.dumps(figures(json.loads(result.read_text("utf-8")))), "utf-8")
    return 0


def figures(document: dict[str, Any]) -> dict[str, Any]:
    """Returns of a result what `breakeven measure` reads, without single requests."""
    return {
        "metadata": {"guidellm_version": document.get("metadata", {}).get("guidellm_version", "")},
        "benchmarks": [_of_run(run) for run in document["benchmarks"]],
    }


def _of_run(run: dict[str, Any]) -> dict[str, Any]:
    strategy = run["config"]["strategy"]
    metrics = run["metrics"]
    return {
        "config": {
            "strategy": {
                name: strategy[name] for name in ("type_", "kind", "streams") if name in strategy
            },
            "backend": {"model": (run["config"].get("backend") or {}).get("model")},
        },
        "start_time": run.get("start_time") or run.get("duration_start_time"),
        "metrics": {
            "request_totals": metrics["request_totals"],
            **{name: {"successful": _means(metrics[name]["successful"])} for name in _METRICS},
        },
    }


def _means(distribution: dict[str, Any]) -> dict[str, Any]:
    return {
        "mean": distribution["mean"],
        "percentiles": {"p95": distribution["percentiles"]["p95"]},
    }


if __name__ == "__main__":
    sys.exit(main())
