"""Runs guidellm, which makes the load of a measurement, as a program of its own.

guidellm (Apache-2.0) is not a dependency: it brings PyTorch, 5 GB. `pip install guidellm` into an
environment of its own, and name its program. Its configuration goes to it as a file, so that a key
is on no command line.
"""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from breakeven.child_process import stop

START_SECONDS = 30
"""What guidellm usually takes to start and to read a tokenizer."""

GRACE_SECONDS = 300
"""Beyond the load's own time, for the start of guidellm, its tokenizer, and requests in flight."""


class LoadError(Exception):
    """A run that gave no result; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent.

    Attributes:
        target: Address of the OpenAI-compatible server, without /v1.
        model: Name under which the model is served.
        tokenizer: Repository or folder with the model's tokenizer.
        input_tokens: Mean input of a request, cached ones included.
        cached_tokens: Of these, a prefix that all requests share.
        output_tokens: Of each request.
        seconds: For how long each concurrency is held.
    """

    target: str
    model: str
    tokenizer: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    seconds: int


def configuration(load: Load, concurrency: int, result: Path, key: str) -> Mapping[str, object]:
    """Returns guidellm's configuration of one run.

    Args:
        load: What is sent.
        concurrency: Requests in flight at all times.
        result: JSON file to write.
        key: Bearer token; empty for none.
    """
    fresh = max(1, load.input_tokens - load.cached_tokens)
    data: dict[str, object] = {
        "kind": "synthetic_text",
        "prompt_tokens": fresh,
        # Prompts differ in length as those of conversations do; all at one length is unlike use.
        "prompt_tokens_stdev": fresh // 2,
        "prompt_tokens_min": 1,
        "prompt_tokens_max": 4 * fresh,
        "output_tokens": load.output_tokens,
    }
    if load.cached_tokens:
        data |= {"prefix_tokens": load.cached_tokens, "prefix_count": 1}
    backend: dict[str, object] = {
        "kind": "openai_http",
        "target": load.target,
        "model": load.model,
    }
    if key:
        backend["api_key"] = key
    return {
        "spec": {
            "backend": backend,
            "profile": {"kind": "concurrent", "streams": [concurrency]},
            "constraints": [{"kind": "max_duration", "seconds": load.seconds}],
            "tokenizer": {"kind": "huggingface_auto", "model": load.tokenizer},
            "data": [data],
            "outputs": [{"kind": "json", "path": str(result)}],
        }
    }


def run(program: str, load: Load, concurrency: int, result: Path, key: str) -> None:
    """Holds one concurrency, and writes guidellm's result, whole or not at all.

    Args:
        program: guidellm.
        load: What is sent.
        concurrency: Requests in flight at all times.
        result: JSON file to write.
        key: Bearer token; empty for none.

    Raises:
        LoadError: guidellm is not there, fails, or does not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="breakeven-measure-") as scratch:
        written = Path(scratch) / "result.json"
        settings = Path(scratch) / "run.json"
        settings.touch(mode=0o600)
        settings.write_text(
            json.dumps(configuration(load, concurrency, written, key)), encoding="utf-8"
        )
        said = _ended(
            [program, "run", "-c", str(settings), "--disable-console-interactive"],
            load.seconds + GRACE_SECONDS,
        )
        if not written.is_file():
            last = said.strip().splitlines()[-1:] or ["no output"]
            reason = last[0].replace(key, "***") if key else last[0]
            msg = (
                f"guidellm returned no result at concurrency {concurrency}: {reason[:300]}. "
                f"Check the address {load.target} and the model {load.model}"
            )
            raise LoadError(msg)
        beside = result.with_name(f".{result.name}.new")
        beside.write_bytes(written.read_bytes())
        beside.replace(result)


def _ended(command: list[str], longest: float) -> str:
    """Runs a program to its end and returns what it said; Ctrl-C ends it too."""
    try:
        child = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        msg = (
            f"{command[0]}: cannot start ({error.strerror}). Install it in a separate "
            "environment: python3 -m venv guidellm && guidellm/bin/pip install guidellm; then "
            "add --guidellm guidellm/bin/guidellm"
        )
        raise LoadError(msg) from error
    try:
        return child.communicate(timeout=longest)[0] or ""
    except subprocess.TimeoutExpired as error:
        msg = (
            f"guidellm did not finish within {longest:.0f} s. The server may be hanging; check "
            "its log"
        )
        raise LoadError(msg) from error
    finally:
        stop(child, signal.SIGTERM, signal.SIGKILL)
