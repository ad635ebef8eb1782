"""Walk through the product as three new users, and print the seconds of each step.

A platform engineer with an agent on an API, a FinOps lead with private prices and owned servers,
and a compliance engineer with a closed network. Each starts in a fresh clone with the commands of
README.md and the pages that it links. The walk stops at the first command that fails.

Logs, bills, the image and the weights are made up here. Only the package index is needed. With
BREAKEVEN_CACHE set, Go programs that were built before are used.

Run: make bench-first-hour; ARGS=finops takes one user
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.first_hour_inputs import (
    REVISION,
    write_bill,
    write_closed_stack,
    write_finops,
    write_log,
)
from bootstrap.cli import terminate
from bootstrap.layout import Layout
from tests.first_time_commands import first_time_commands, shell_function
from tests.registry.conftest import free_port, running

ROOT = Path(__file__).resolve().parents[1]
_SHELL = "set -euo pipefail; "
_LINES_OF_A_FAILURE = 40
# Variables that `tools/bootstrap run`, an activated environment, or `make` sets: the last hands its
# ARGS on to each `make` that a user types.
_OWN = (
    *("PULUMI", "PYTHON", "VIRTUAL_ENV", "BREAKEVEN_STATE", "KUBECONFIG"),
    *("ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"),
)


@dataclass(frozen=True)
class Step:
    """One command that a user types.

    Attributes:
        command: Lines of bash.
        shown: What the table says; the command if empty.
        where: The folder to run it in, below the user's own.
        before: More bash in the same shell.
    """

    command: str
    shown: str = ""
    where: str = "clone"
    before: str = ""


_SERVE = """
breakeven serve agent --no-open > ../serve.txt & page=$!
trap 'kill $page' EXIT
until grep -q 'http://' ../serve.txt; do kill -0 $page; sleep 0.05; done
python3 -c '
import re, urllib.request
address = re.search(r"http://\\S+", open("../serve.txt").read())[0]
assert b"agent" in urllib.request.urlopen(address).read()'
"""


@contextmanager
def platform(folder: Path) -> Iterator[tuple[Step, ...]]:
    """A startup's platform engineer in Frankfurt: an agent with long cached prompts on an API."""
    write_log(folder)
    subprocess.run(
        ["bash", "-ec", "python3 -m venv build; build/bin/pip wheel -q --no-deps -w dist ./clone"],
        cwd=folder,
        check=True,
    )
    agent = "--model qwen3-32b --where aws --region eu-central-1 --tokens-per-day 60M"
    yield (
        Step(
            "python3 -m venv wheel && wheel/bin/pip install -q dist/breakeven-*.whl",
            "pip install breakeven-0.2.0-py3-none-any.whl",
            ".",
        ),
        Step(
            f"wheel/bin/breakeven estimate {agent} --api openai/gpt-4.1",
            f"breakeven estimate {agent} --api openai/gpt-4.1",
            ".",
        ),
        Step("make setup"),
        Step(f"breakeven init agent {agent} --api openai/gpt-4.1"),
        Step("breakeven estimate agent"),
        Step("breakeven traffic import ../log.jsonl --timezone Europe/Berlin --stack agent"),
        Step("breakeven estimate agent", "breakeven estimate agent, with that traffic"),
        Step("breakeven recommend agent"),
        Step(_SERVE, "breakeven serve agent, until the page loads"),
        Step("make preview STACK=agent"),
        Step("make preview STACK=agent", "make preview STACK=agent, again"),
    )


@contextmanager
def finops(folder: Path) -> Iterator[tuple[Step, ...]]:
    """A FinOps lead: private prices, an API contract, an owned server, two teams, a cloud bill."""
    write_bill(folder)
    write_finops(folder / "clone")
    observed = "--from ../bill.csv --tag stack=finops --from ../observed.yaml"
    yield (
        Step("python3 tools/bootstrap setup --dev --packages"),
        Step("breakeven prices list g6e.xlarge"),
        Step("breakeven estimate finops"),
        Step(
            "breakeven init owned --model llama-3.3-70b-instruct --where own --gpu h100 "
            "--node-price 290000 --tokens-per-day 200M --api openai/gpt-4.1 --data-stays"
        ),
        Step("breakeven estimate finops owned"),
        Step("breakeven chargeback finops --from docs/examples/two-teams.csv"),
        Step(f"breakeven reconcile finops {observed}"),
        Step("breakeven review finops --observed ../observed.yaml --save --output review.md"),
        Step("breakeven report finops --format focus-csv --output focus.csv"),
        Step("breakeven report finops --format html --output cost.html"),
    )


@contextmanager
def compliance(folder: Path) -> Iterator[tuple[Step, ...]]:
    """A compliance engineer: policies, evidence, and the signed bundle of docs/air-gap.md."""
    clone, media, inside = folder / "clone", folder / "media", folder / "inside"
    media.mkdir()
    (folder / "weights").mkdir()
    defined = f"{shell_function()}\n"
    with ExitStack() as stack:
        upstream = stack.enter_context(running(folder / "upstream"))
        registry = stack.enter_context(running(folder / "registry", f"127.0.0.1:{free_port()}"))
        write_closed_stack(clone, folder, upstream.address, registry.address)
        bundle, key = media / "air-gapped-bundle", clone / "release.pub"
        signed = f"{bundle} --key {key}"
        there = {"where": "inside/program", "before": ". tools/offline/environment.sh; " + defined}
        packs = "--policy-pack policies/hardening/run --policy-pack policies/airgap/run"
        model = f"--model ../{REVISION}"
        yield (
            Step("python3 tools/bootstrap setup --dev"),
            Step("breakeven check --stack air-gapped"),
            Step("breakeven bundle keygen release", before=defined),
            # The weights are 40 kB, made up, under the name of 141 GB.
            Step(f"breakeven bundle plan air-gapped {model} --accept-size", before=defined),
            Step(
                f"breakeven bundle pack air-gapped.lock.json {model} --sign release.key "
                f"--output {bundle}",
                before=defined,
            ),
            Step(
                first_time_commands(bundle, key, 1, inside),
                "openssl pkeyutl -verify …, sha256sum --check …, python3 -I unpack.py …",
            ),
            Step("python3 tools/bootstrap setup", "inside: python3 tools/bootstrap setup", **there),
            Step(
                f"breakeven bundle load {signed} --to {folder}/loaded "
                f"--registry {registry.address}",
                **there,
            ),
            Step(
                f"breakeven bundle fill {signed} --to {folder}/loaded --volume {folder}/weights",
                **there,
            ),
            Step(f"python3 tools/bootstrap pulumi preview -s air-gapped {packs}", **there),
            Step(
                f"breakeven evidence air-gapped --bundle {signed} --log bundle-log.jsonl "
                f"--format html --output evidence.html --sign-with {clone}/release.key",
                **there,
            ),
            Step(
                f"openssl pkeyutl -verify -pubin -inkey {key} -rawin -in evidence.html "
                "-sigfile evidence.html.sig",
                where="inside/program",
            ),
            Step("breakeven bundle log verify", **there),
        )


USERS: Mapping[str, Callable[[Path], AbstractContextManager[tuple[Step, ...]]]] = {
    "platform": platform,
    "finops": finops,
    "compliance": compliance,
}


def plain_environment() -> dict[str, str]:
    """Return the environment of a user who has installed nothing of this project."""
    layout = Layout.of(ROOT, os.environ)
    own = (str(ROOT), str(layout.cache))
    path = [one for one in os.environ["PATH"].split(os.pathsep) if not one.startswith(own)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    return {**environment, "PATH": os.pathsep.join(path)}


def run(step: Step, folder: Path, environment: Mapping[str, str]) -> float:
    """Run a step.

    Returns:
        Seconds that it took.
    """
    where = folder / step.where
    path = f"{where}/.venv/bin{os.pathsep}{environment['PATH']}"
    begin = time.monotonic()
    result = subprocess.run(
        ["bash", "-c", f"{_SHELL}{step.before}{step.command}"],
        cwd=where,
        env={**environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - begin
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        log.write(f"$ {step.command}\n{result.stdout}({seconds:.1f} s)\n\n")
    if result.returncode:
        last = "\n".join(result.stdout.splitlines()[-_LINES_OF_A_FAILURE:])
        sys.exit(f"\nerror: exit code {result.returncode}: {step.command}\n{last}")
    return seconds


def main() -> None:
    """Walk, and print a table of each user."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("users", nargs="*", metavar="USER", help=f"of {', '.join(USERS)}")
    parser.add_argument("--logs", type=Path, help="an empty folder that keeps what was printed")
    options = parser.parse_args()
    if unknown := [name for name in options.users if name not in USERS]:
        parser.error(f"unknown user {unknown[0]}. Allowed: {', '.join(USERS)}")
    environment = plain_environment()
    for name in options.users or USERS:
        with tempfile.TemporaryDirectory(prefix=f"first-hour-{name}-") as scratch:
            folder = Path(scratch)
            subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "clone")], check=True)
            try:
                with USERS[name](folder) as steps:
                    print(f"\n| {name} | Seconds |\n|---|---:|", flush=True)
                    for step in steps:
                        seconds = run(step, folder, environment)
                        shown = (step.shown or step.command).replace(str(folder), "")
                        print(f"| `{shown}` | {seconds:.1f} |", flush=True)
            finally:
                if options.logs and (folder / "log.txt").is_file():
                    options.logs.mkdir(parents=True, exist_ok=True)
                    (folder / "log.txt").replace(options.logs / f"{name}.txt")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminate)
    main()
