"""Asks AISimulate for replicas of vLLM; run by the Python of the environment that has it.

Reads replicas from standard input, each a line of JSON, and prints an answer for each, as a line of
JSON, as soon as it is known: output tokens per second of the replica, or why there is no answer.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from typing import Any

from aisimulate.legacy_cli.api import cli_estimate  # type: ignore[import-not-found]  # not ours


def estimate(replica: dict[str, Any]) -> dict[str, Any]:
    """Returns what AISimulate says of one replica."""
    quantization = {"gemm_quant_mode": replica["gemm"]} if replica["gemm"] else {}
    if replica["gemm"] and replica["experts"]:
        quantization["moe_quant_mode"] = replica["gemm"]
    experts = {"moe_tp_size": replica["gpus"], "moe_ep_size": 1} if replica["experts"] else {}
    try:
        found = cli_estimate(
            model_path=replica["model"],
            system_name=replica["system"],
            backend_name="vllm",
            mode="agg",
            isl=replica["input"],
            osl=replica["output"],
            batch_size=replica["requests"],
            tp_size=replica["gpus"],
            **quantization,
            **experts,
        )
    except Exception as error:  # noqa: BLE001  # whatever it raises is its answer
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    seconds = (found.ttft + found.tpot * (replica["output"] - 1)) / 1000
    return {
        "outputTokensPerSecond": replica["requests"] * replica["output"] / seconds,
        "reported": found.tokens_per_second_per_gpu * replica["gpus"],
        "firstTokenSeconds": found.ttft / 1000,
        "tokenSeconds": found.tpot / 1000,
        "database": str(getattr(found, "backend_version", "")),
    }


def main() -> None:
    """Answer replica by replica; the package prints to standard output by itself."""
    logging.disable(logging.CRITICAL)
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        for line in sys.stdin:
            print(json.dumps(estimate(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
