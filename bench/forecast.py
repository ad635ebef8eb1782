"""Measures a real vLLM with `breakeven measure`, and compares the forecast with what then happens.

The stack is aws-prod with replicas.targetRequests 8 and requests of 128 / 64 tokens. guidellm holds
1, 2, 4, and 8 requests in flight for the record. Before and after that, vLLM is loaded with other
numbers of requests in flight, half as long each time, and the mean of both is compared: a machine
that others use changes its speed by 10% within minutes. The forecast of each is what the estimate
takes from the record for such a stack. The engine computes on one processor, and everything else,
such as the load, runs on the others, because a load next to a GPU takes nothing from it.

Exits with 1 where tokens per second, or the time between tokens, differ by more than the limit. The
machine should have nothing else to do. Run by `make bench-forecast`, which installs vLLM; guidellm
is named by GUIDELLM.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from bootstrap import vllm as installation
from bootstrap.cli import terminate
from bootstrap.layout import Layout
from breakeven.measurements.guidellm import Load, run
from breakeven.measurements.record import Measurement, Point, from_text
from breakeven.measurements.results import read_results
from breakeven.settings.files import ROOT, with_settings
from tests.vllm.rendered import KEY, engine_of
from tests.vllm.server import Server, starting

STACK = "aws-prod"
INPUT, OUTPUT = 128, 64
TARGET = 8
OTHERS = (3, 6)
"""Requests in flight that the record does not have."""

LIMIT = 0.10
SETTINGS: Mapping[str, object] = {
    "replicas.targetRequests": TARGET,
    "traffic.inputTokens": INPUT,
    "traffic.outputTokens": OUTPUT,
    "traffic.cachedInputPercent": 0,
    "traffic.sharedPrefixTokens": None,
    # On a CPU objectives for GPUs would end the measurement with its first step.
    "traffic.timeToFirstTokenSeconds": 60,
    "traffic.interTokenLatencySeconds": 5,
}

_CAPACITY = f"""
from breakeven.planning.offline import load_stack
print(load_stack("{STACK}").assumptions.capacity.output_tokens_per_second)
"""
_COPIED = ("Pulumi.yaml", "components", "charts", "stacks")
_WITHOUT = (
    *("--dtype", "--load-format"),
    # No certificate is on this machine.
    *("--ssl-certfile", "--ssl-keyfile", "--enable-ssl-refresh"),
)
_FLAGS = (
    # Large enough that the step decides, not the server around it; CPUs are fast in this type only.
    "--dtype=float32",
    "--load-format=dummy",
    "--hf-overrides="
    + json.dumps(
        {
            "hidden_size": 512,
            "num_hidden_layers": 4,
            "intermediate_size": 2048,
            "num_attention_heads": 8,
            "num_key_value_heads": 2,
            "head_dim": 64,
        }
    ),
    "--max-num-seqs=32",
    "--max-num-batched-tokens=512",
)


def divide_processors() -> str:
    """Keeps this process and its children off one processor; returns which."""
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        sys.exit("error: one processor cannot hold both the engine and its load; found 1, needs 2")
    os.sched_setaffinity(0, others)
    return str(first)


@contextmanager
def project() -> Iterator[Path]:
    """A copy of the project, so that no record of this machine is among the user's own."""
    with tempfile.TemporaryDirectory(prefix="breakeven-bench-") as folder:
        root = Path(folder)
        for name in _COPIED:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, root / name)
        shutil.rmtree(root / "stacks" / "measurements", ignore_errors=True)
        state(root, SETTINGS)
        yield root


def state(root: Path, settings: Mapping[str, object]) -> None:
    """Changes the stack file; None removes a setting."""
    path = root / "stacks" / f"Pulumi.{STACK}.yaml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    changes = {f"breakeven:{key}": value for key, value in settings.items()}
    document["config"] = with_settings(document["config"], changes)
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


def python(root: Path, code: str, *arguments: str) -> str:
    """Runs code with the copy; what it says on the way goes to the terminal."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "components"), "OPENAI_API_KEY": KEY},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def measured(root: Path, server: Server, guidellm: str, seconds: int) -> Measurement:
    """The record of the sweep."""
    python(
        root,
        "from breakeven.cli.start import main; main()",
        *("measure", STACK, "--target", server.address, "--guidellm", guidellm, "--yes"),
        *("--tokenizer", str(tokenizer_of(server)), "--seconds", str(seconds)),
    )
    [path] = (root / "stacks" / "measurements").glob("*.json")
    return from_text(path.read_text(encoding="utf-8"), path.name)


def tokenizer_of(server: Server) -> Path:
    """The folder of the model that the server was started with."""
    return Path(str(server.process.args[2]))  # type: ignore[index]  # a list: vllm serve FOLDER


def forecast(root: Path, record: Measurement, concurrency: int) -> Point:
    """What the estimate of a stack with such a target takes from the record."""
    state(root, {"replicas.targetRequests": concurrency})
    planned = float(python(root, _CAPACITY))
    found = record.point_for(concurrency)
    if abs(planned - found.output_tokens_per_second) > 0.01 * planned:
        sys.exit(f"the estimate has {planned:.1f} tokens per second, and the record {found}")
    return found


def loaded(server: Server, guidellm: str, concurrency: int, seconds: int, folder: Path) -> Point:
    """What the server does with so many requests in flight."""
    load = Load(
        target=server.address,
        model=server.engine.model,
        tokenizer=str(tokenizer_of(server)),
        input_tokens=INPUT,
        cached_tokens=0,
        output_tokens=OUTPUT,
        seconds=seconds,
    )
    path = folder / f"load-{concurrency}.json"
    run(guidellm, load, concurrency, path, KEY)
    [result] = read_results(path.read_text(encoding="utf-8"), path.name)
    return result.point


def rows(expected: Point, found: Point) -> list[tuple[str, float, float, bool]]:
    """Name, forecast, and actual of each figure, and whether the limit holds for it."""
    return [
        (
            "output tokens per second",
            expected.output_tokens_per_second,
            found.output_tokens_per_second,
            True,
        ),
        (
            "between tokens, p95, ms",
            1000 * (expected.inter_token_seconds or 0),
            1000 * (found.inter_token_seconds or 0),
            True,
        ),
        (
            "first token, p95, ms",
            1000 * (expected.first_token_seconds or 0),
            1000 * (found.first_token_seconds or 0),
            False,
        ),
    ]


def main() -> int:
    """Measure, forecast, and load.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  make bench-forecast GUIDELLM=guidellm/bin/guidellm",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--guidellm", default="guidellm", help="its program")
    parser.add_argument(
        "--seconds", type=int, default=60, help="of each step (default: %(default)s)"
    )
    options = parser.parse_args()
    vllm = installation.find(Layout.of(ROOT, os.environ))
    if vllm is None:
        sys.exit("error: no vLLM for CPUs is installed\n  next:    make bench-forecast")
    guidellm = shutil.which(options.guidellm)
    if guidellm is None:
        sys.exit(
            f"error: there is no program {options.guidellm}\n  next:    python3 -m venv guidellm "
            "&& guidellm/bin/pip install guidellm"
        )
    local = {key: value for key, value in SETTINGS.items() if value is not None}
    engine = engine_of(STACK, **local)
    own = {"VLLM_CPU_OMP_THREADS_BIND": divide_processors()}
    with (
        project() as root,
        tempfile.TemporaryDirectory(prefix="breakeven-bench-") as folder,
        starting(
            engine, vllm, Path(folder), without=_WITHOUT, added=_FLAGS, variables=own
        ) as server,
    ):
        server.wait_until_ready()
        loaded(server, guidellm, 1, 10, Path(folder))  # what is compiled or allocated at first
        half, counts = options.seconds // 2, (*OTHERS, TARGET)
        before = [loaded(server, guidellm, each, half, Path(folder)) for each in counts]
        record = measured(root, server, guidellm, options.seconds)
        after = [loaded(server, guidellm, each, half, Path(folder)) for each in counts]
        print("\n| in flight | figure | forecast | actual | difference |\n|---|---|---|---|---|")
        worst = 0.0
        for concurrency, *found in zip(counts, before, after, strict=True):
            expected = forecast(root, record, concurrency)
            first, second = (rows(expected, each) for each in found)
            for (name, planned, one, is_judged), (*_, other, _) in zip(first, second, strict=True):
                actual = (one + other) / 2
                apart = actual / planned - 1 if planned else 0.0
                worst = max(worst, abs(apart)) if is_judged else worst
                print(f"| {concurrency} | {name} | {planned:.1f} | {actual:.1f} | {apart:+.1%} |")
    print(f"\nlargest difference of tokens per second and time between tokens: {worst:.1%}")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    sys.exit(main())
