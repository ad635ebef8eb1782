"""Programs that the tests call, each at one pinned version, built from source into the cache.

An installed program of the same name is not used: its version would decide what a test says.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bootstrap import golang
from bootstrap.console import Console
from bootstrap.golang import Program
from bootstrap.layout import Layout, exclusive

_PROMETHEUS = "github.com/prometheus/prometheus"

PROMTOOL = Program(
    name="promtool",
    package=f"{_PROMETHEUS}/cmd/promtool",
    minutes=4,
    module=_PROMETHEUS,
    folder="prometheus",
)
ORAS = Program(
    name="oras",
    package="oras.land/oras/cmd/oras",
    minutes=1,
    module="oras.land/oras",
)
REGISTRY = Program(
    name="registry",
    package="github.com/distribution/distribution/v3/cmd/registry",
    minutes=3,
    module="github.com/distribution/distribution/v3",
)
PROMETHEUS = Program(
    name="prometheus",
    package=f"{_PROMETHEUS}/cmd/prometheus",
    minutes=2,
    module=_PROMETHEUS,
)
KUBE_SCORE = Program(
    name="kube-score",
    package="github.com/zegl/kube-score/cmd/kube-score",
    minutes=1,
    module="github.com/zegl/kube-score",
)
RATELIMIT = Program(
    name="ratelimit",
    package="github.com/envoyproxy/ratelimit/src/service_cmd",
    minutes=1,
    module="github.com/envoyproxy/ratelimit",
)
PROGRAMS = (PROMTOOL, PROMETHEUS, ORAS, REGISTRY, KUBE_SCORE, RATELIMIT)


@dataclass(frozen=True)
class Use:
    """What programs are for, as messages say it.

    Attributes:
        purpose: Follows the program's name, in brackets.
        otherwise: What the user can do instead of building it.
    """

    purpose: str
    otherwise: str


FOR_TESTS = Use("for the tests", "leave --dev out where no tests are run: only they need it")


def find_built(layout: Layout, program: Program) -> Path | None:
    """Find the folder for PATH with the finished program of these sources, if there is one."""
    wanted = _name(layout, program, golang.usable_version(layout, [program]))
    for folder in sorted((layout.cache / "programs").glob(wanted), reverse=True):
        if (folder / "bin" / program.name).is_file():
            return folder / "bin"
    return None


def build(
    layout: Layout,
    console: Console,
    program: Program,
    label: str,
    use: Use,
) -> Path:
    """Build a program.

    Args:
        layout: The folders of the checkout.
        console: Where progress goes.
        program: What is built.
        label: How the step is named in progress lines.
        use: What it is for.

    Returns:
        The folder for PATH.
    """
    go = golang.require(
        layout,
        [program],
        purpose=f"{program.name} ({use.purpose})",
        otherwise=use.otherwise,
    )
    with exclusive(layout, console):
        name = _name(layout, program, golang.version_of(layout, go, [program]))
        folder = layout.cache / "programs" / name
        if not (folder / "bin" / program.name).is_file():
            stated = program.version(layout)
            version = f"v{stated}" if stated[:1].isdigit() else stated
            with console.step(label, golang.announcement(program, version)):
                _build(layout, go, program, version, folder)
    return folder / "bin"


def ensure(
    layout: Layout,
    console: Console,
    wanted: Sequence[Program],
    labels: Mapping[str, str],
    use: Use,
) -> None:
    """Build those that are missing, one at a time, with a line for each.

    Args:
        layout: The folders of the checkout.
        console: Where progress goes.
        wanted: The programs.
        labels: How the steps are named in progress lines, by program.
        use: What they are for.
    """
    for program in wanted:
        built = find_built(layout, program)
        if built is None:
            build(layout, console, program, labels[program.name], use)
        else:
            console.line(f"{labels[program.name]}: up to date in {built}")


def _name(layout: Layout, program: Program, go_version: str) -> str:
    return f"{program.name}-{golang.key(layout, [program], go_version)}"


def _build(layout: Layout, go: str, program: Program, version: str, folder: Path) -> None:
    # Beside and then renamed: whatever lies under its own name is finished.
    beside = folder.with_name(f"{folder.name}.unfinished")
    for leftover in (beside, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    bench = golang.Workbench(layout, beside / "src", go)
    bench.sources(program)
    (beside / "bin").mkdir()
    bench.compile(program, version, beside / "bin" / program.name)
    shutil.rmtree(beside / "src")
    beside.rename(folder)
