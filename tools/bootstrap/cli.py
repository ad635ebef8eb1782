"""The commands of `python3 tools/bootstrap`."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from bootstrap import cluster, doctor, engine, node, packages, programs, stacks, state, vllm
from bootstrap.console import Console, SetupError
from bootstrap.layout import Layout

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

STEPS = {
    "state": "state",
    "packages": "packages",
    engine.ENGINE.name: "engine",
    engine.LANGUAGE_HOST.name: "language host",
    engine.PROVIDER.name: "Kubernetes provider",
}

EXAMPLES = """examples:
  python3 tools/bootstrap setup                  install everything that `pulumi preview` needs
  python3 tools/bootstrap setup --dev            the same, with what tests and linting need
  python3 tools/bootstrap pulumi preview -s dev  run Pulumi; a stack of stacks/ is made when new
  python3 tools/bootstrap doctor                 what is missing, and the command that gets it
  python3 tools/bootstrap run pytest             run any command where pulumi and python are found
  eval "$(python3 tools/bootstrap env)"          then type plain `pulumi preview -s dev`

environment:
  BREAKEVEN_CACHE       where what is built is kept (default: .cache in the checkout)
  BREAKEVEN_STATE       where the local state is kept (default: .state in the checkout)
  PULUMI_BACKEND_URL    a backend of your own; then no local state is made
  NO_COLOR              no colour on terminals either
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns:
        The exit code.
    """
    signal.signal(signal.SIGTERM, terminate)
    console = Console()
    try:
        options = _parser().parse_args(arguments)
        root = Path(__file__).resolve().parents[2]
        layout = Layout.of(root, os.environ)
        bootstrap = Bootstrap(layout, console)
        if options.command == "setup":
            bootstrap.setup(
                dev=options.dev,
                rig=options.rig,
                node_too=options.node,
                only_packages=options.packages,
            )
        elif options.command == "env":
            bootstrap.print_environment()
        elif options.command == "doctor":
            return _doctor(doctor.findings(layout, os.environ), options.format)
        elif options.command == "vllm":
            vllm.ensure(layout, console)
        elif options.command == "run":
            bootstrap.run(options.arguments)
        else:
            bootstrap.pulumi(options.arguments)
    except SetupError as error:
        console.error(error)
        return 1
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _doctor(found: list[doctor.Finding], output_format: str) -> int:
    """Print what was found; the exit code says whether a preview can run."""
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    as_json = output_format == "json"
    text = doctor.as_json(found) if as_json else doctor.as_text(found, colour=colour)
    print(text)  # noqa: T201 (the command's output)
    return int(any(one.state == "missing" for one in found))


def terminate(_signal: int, _frame: object) -> NoReturn:
    """Ends the program as Ctrl-C does, so that what it has started is ended; for SIGTERM."""
    sys.exit(EXIT_TERMINATED)


def _parser() -> argparse.ArgumentParser:
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python3 tools/bootstrap", description=__doc__, epilog=EXAMPLES, formatter_class=plain
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    setup = commands.add_parser(
        "setup",
        help="install what is missing: packages, Pulumi, the Kubernetes provider, a state folder",
        epilog="examples:\n  python3 tools/bootstrap setup\n"
        "  python3 tools/bootstrap setup --dev\n",
        formatter_class=plain,
    )
    setup.add_argument("--dev", action="store_true", help="with what tests and linting need")
    setup.add_argument(
        "--rig", action="store_true", help="with the cluster that runs on this machine"
    )
    setup.add_argument(
        "--node", action="store_true", help="with the node that runs containers on this machine"
    )
    setup.add_argument(
        "--packages", action="store_true", help="only the Python packages, as linting needs"
    )

    pulumi = commands.add_parser(
        "pulumi",
        help="run Pulumi, ready to deploy this project",
        epilog="examples:\n  python3 tools/bootstrap pulumi preview -s dev\n"
        "  python3 tools/bootstrap pulumi up -s dev --yes\n",
        formatter_class=plain,
        prefix_chars="\0",
        add_help=False,
    )
    pulumi.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS")

    commands.add_parser(
        "env",
        help="print the environment as shell code; sets up first what is missing",
        epilog='examples:\n  eval "$(python3 tools/bootstrap env)" && pulumi preview -s dev\n',
        formatter_class=plain,
    )

    checks = commands.add_parser(
        "doctor",
        help="say what is missing and the command that gets it; changes nothing",
        epilog="examples:\n  python3 tools/bootstrap doctor\n"
        "  python3 tools/bootstrap doctor --format json\n",
        formatter_class=plain,
    )
    checks.add_argument("--format", choices=("text", "json"), default="text")

    commands.add_parser(
        "vllm",
        help="install vLLM for CPUs, with which `make vllm-check` tests what stacks render",
        epilog="examples:\n  python3 tools/bootstrap vllm\n",
        formatter_class=plain,
    )

    run = commands.add_parser(
        "run",
        help="run any command in the environment",
        epilog="examples:\n  python3 tools/bootstrap run pytest -k stack\n"
        "  python3 tools/bootstrap run python -m bench.preview_overhead\n",
        formatter_class=plain,
    )
    run.add_argument("arguments", nargs=argparse.REMAINDER, metavar="CMD")
    return parser


def _labels(steps: Mapping[str, str]) -> dict[str, str]:
    return {
        key: f"[{position}/{len(steps)}] {name}"
        for position, (key, name) in enumerate(steps.items(), start=1)
    }


class Bootstrap:
    """The steps of a setup, and what can be run once they are done."""

    def __init__(self, layout: Layout, console: Console) -> None:
        """Remember where things lie and where to report."""
        self._layout = layout
        self._console = console
        self._labels = _labels(STEPS)

    def setup(
        self,
        *,
        dev: bool,
        rig: bool = False,
        node_too: bool = False,
        only_packages: bool = False,
    ) -> None:
        """Do every step, with a line for each."""
        if only_packages:
            self._labels = _labels({"packages": STEPS["packages"]})
            self._packages(dev=dev or rig or node_too)
            return
        with_cluster = rig or node_too
        parts = cluster.PROGRAMS if rig else cluster.FOR_CONTAINERS
        wanted = programs.PROGRAMS if dev else (programs.PROMETHEUS,) if with_cluster else ()
        built = {program.name: program.name for program in wanted}
        further = {
            **(cluster.steps(parts) if with_cluster else {}),
            **(node.steps() if node_too else {}),
        }
        self._labels = _labels({**STEPS, **built, **further})
        # First, because a state folder that cannot be used should not cost a build to find.
        state.ensure(self._layout, os.environ)
        local = state.is_local(self._layout, os.environ)
        where = self._layout.state if local else "a backend of your own, PULUMI_BACKEND_URL"
        self._console.line(f"{self._labels['state']}: {where}")
        # A cluster is driven by packages that the tests use, too.
        self._packages(dev=dev or with_cluster)
        chosen = self._engine(report=True)
        use = cluster.FOR_RIG if with_cluster else programs.FOR_TESTS
        programs.ensure(self._layout, self._console, wanted, self._labels, use)
        if with_cluster:
            cluster.ensure(self._layout, self._console, self._labels, parts)
        if node_too:
            node.ensure(self._layout, self._console, self._labels)
        self._console.line(f"ready, with Pulumi {chosen.version}; next: make preview")

    def _packages(self, *, dev: bool) -> None:
        label = self._labels["packages"]
        if not packages.ensure(self._layout, self._console, label, dev=dev):
            self._console.line(f"{label}: up to date")

    def print_environment(self) -> None:
        """Print shell code that puts a shell into the environment."""
        _, changes = self._ready()
        for name, value in changes.items():
            print(f"export {name}={shlex.quote(value)}")  # noqa: T201 (the command's output)
        # A function rather than the program alone: it makes new stacks and keeps stack files clean.
        python = shlex.quote(str(self._layout.venv / "bin" / "python"))
        script = shlex.quote(str(Path(__file__).parent))
        print(f'pulumi() {{ {python} {script} pulumi "$@"; }}')  # noqa: T201 (as above)

    def run(self, command: Sequence[str]) -> NoReturn:
        """Become a command in the environment."""
        command = command[1:] if command[:1] == ["--"] else command
        if not command:
            raise SetupError(
                what="run: no command is given", fix=["python3 tools/bootstrap run CMD …"]
            )
        built = [programs.find_built(self._layout, program) for program in programs.PROGRAMS]
        _, changes = self._ready([str(folder) for folder in built if folder is not None])
        environ = {**os.environ, **changes}
        program = shutil.which(command[0], path=environ["PATH"])
        if program is None:
            raise SetupError(
                what=f"run: there is no program {command[0]!r}",
                allowed="a program of the virtual environment or on PATH",
                fix=["install the test and lint tools too: python3 tools/bootstrap setup --dev"],
            )
        os.execve(program, list(command), environ)

    def pulumi(self, arguments: Sequence[str]) -> NoReturn:
        """Become Pulumi, with the stack that is named made first."""
        chosen, changes = self._ready(before_build=lambda: self._print_cost(arguments))
        environ = {**os.environ, **changes}
        prepared = stacks.prepare(self._layout, chosen, environ, arguments)
        os.execve(chosen.pulumi, ["pulumi", *prepared], environ)

    def _print_cost(self, arguments: Sequence[str]) -> None:
        """Print the cost of the stack that is previewed: it needs the packages, not the engine."""
        stack = stacks.to_be_previewed(self._layout, os.environ, arguments)
        if stack is None:
            return
        # With --json, standard output is for the plan alone.
        output = sys.stderr if {"-j", "--json"} & set(arguments) else sys.stdout
        program = self._layout.venv / "bin" / "breakeven"
        subprocess.run([program, "estimate", stack], stdout=output, check=False)
        self._console.line(
            f"\nThis is the cost of stack {stack}. The plan needs Pulumi, which is built now, "
            "once: 10 to 18 minutes. Ctrl-C stops it."
        )

    def _ready(
        self,
        further: Sequence[str] = (),
        before_build: Callable[[], None] = lambda: None,
    ) -> tuple[engine.Engine, dict[str, str]]:
        """Do what is missing, and say in which variables the environment then differs.

        Args:
            further: Folders that PATH has besides, before those that it has already.
            before_build: Called once the packages are there, only if the engine has to be built.
        """
        changes = {
            **state.ensure(self._layout, os.environ),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_SUPPRESS_NEO_LINK": "true",
        }
        packages.ensure(self._layout, self._console, self._labels["packages"], dev=False)
        chosen = self._engine(report=False, before_build=before_build)
        first = [str(self._layout.venv / "bin")]
        if chosen.home is not None:
            first.append(str(chosen.bin))
            changes["PULUMI_HOME"] = str(chosen.home)
            # Only the provider installed with this engine is used: a download site may be out of
            # reach, and a download would not be pinned by a checksum of this repository.
            changes["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        first += further
        others = [
            folder
            for folder in engine.without_built(os.environ.get("PATH", ""))
            if folder not in first
        ]
        changes["PATH"] = os.pathsep.join([*first, *others])
        return chosen, changes

    def _engine(
        self, *, report: bool, before_build: Callable[[], None] = lambda: None
    ) -> engine.Engine:
        official = engine.find_official(self._layout, os.environ)
        if isinstance(official, engine.Engine):
            if report:
                self._report(
                    f"Pulumi {official.version} at {official.pulumi}, used as it is",
                    "the one of that Pulumi",
                    "fetched by that Pulumi when it is first needed",
                )
            return official
        built = engine.find_built(self._layout)
        if official is not None and (report or built is None):
            self._console.line(f"not used: {official.reason}")
        if built is None:
            before_build()
            return engine.build(self._layout, self._console, self._labels)
        if report:
            self._report(f"up to date in {built.bin}", "up to date", "up to date")
        return built

    def _report(self, *findings: str) -> None:
        for program, finding in zip(engine.PROGRAMS, findings, strict=True):
            self._console.line(f"{self._labels[program.name]}: {finding}")
