"""The virtual environment: made once, redone only when its requirements or its Python change."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap.console import Console, SetupError, run_logged
from bootstrap.layout import Layout, digest, exclusive, replace_text

REQUIREMENTS = {"runtime": "requirements.txt", "dev": "requirements-dev.txt"}


@dataclass(frozen=True)
class Stamp:
    """What a finished virtual environment was made from."""

    python: str
    packages: str
    requirements: str


def ensure(layout: Layout, console: Console, label: str, *, dev: bool) -> bool:
    """Bring the virtual environment up to date.

    Args:
        layout: The folders of the checkout.
        console: Where progress goes.
        label: How the step is named in progress lines.
        dev: Whether the development tools are wanted too. They stay once they are installed.

    Returns:
        Whether anything had to be done.
    """
    if is_current(layout, dev=dev):
        return False
    # One lock per checkout: see `exclusive`.
    with exclusive(layout, console, f"packages-{digest([], str(layout.venv))[:12]}"):
        if is_current(layout, dev=dev):
            return True
        _make(layout, console, label, _wanted(layout, dev=dev))
    return True


def _stamp_file(layout: Layout) -> Path:
    return layout.venv / "breakeven.json"


def _python(layout: Layout) -> Path:
    return layout.venv / "bin" / "python"


def _read_stamp(layout: Layout) -> Stamp | None:
    try:
        return Stamp(**json.loads(_stamp_file(layout).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        # Absent or damaged: the environment was made by hand, or its making was interrupted.
        return None


def _wanted(layout: Layout, *, dev: bool) -> Stamp:
    stamp = _read_stamp(layout)
    packages = "dev" if dev or (stamp is not None and stamp.packages == "dev") else "runtime"
    file = layout.root / REQUIREMENTS[packages]
    if not file.is_file():
        raise SetupError(
            what=f"{file} is missing",
            allowed="the hash-locked list of packages that the repository holds",
            fix=[f"git checkout -- {file.name}", "make lock"],
        )
    return Stamp(
        python=f"{sys.version_info.major}.{sys.version_info.minor}",
        packages=packages,
        requirements=digest([file]),
    )


def is_current(layout: Layout, *, dev: bool) -> bool:
    """Whether the virtual environment has what is asked for."""
    return _read_stamp(layout) == _wanted(layout, dev=dev) and _python(layout).exists()


def _make(layout: Layout, console: Console, label: str, wanted: Stamp) -> None:
    previous = _read_stamp(layout)
    _stamp_file(layout).unlink(missing_ok=True)
    log = layout.cache / "logs" / "packages.log"
    log.unlink(missing_ok=True)
    with console.step(label, f"installing the {wanted.packages} packages into .venv"):
        if not _usable(layout, previous, wanted):
            _create(layout, log)
        file = layout.root / REQUIREMENTS[wanted.packages]
        run_logged(
            [
                *(str(_python(layout)), "-m", "pip", "install", "--require-hashes"),
                # Modules are compiled as they are first used: compiling all of them takes 18 of
                # 46 s of processor time, before the first table of costs.
                *("--no-input", "--disable-pip-version-check", "--no-compile", "-r", str(file)),
            ],
            cwd=layout.root,
            env=os.environ,
            log=log,
        )
        _install_command(layout)
        replace_text(_stamp_file(layout), json.dumps(asdict(wanted)))


def _install_command(layout: Layout) -> None:
    """Make the checkout importable, and the command `breakeven` a program, in the environment.

    What an editable installation does, without a build backend, whose download would be one more
    thing to pin.
    """
    python = _python(layout)
    probe = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=True)
    replace_text(Path(answer.stdout.strip()) / "breakeven.pth", f"{layout.root / 'components'}\n")
    # Started through sh: an interpreter line has no quotes and a limit of its length.
    command = layout.venv / "bin" / "breakeven"
    start = "from breakeven.cli.start import main; main()"
    replace_text(command, f'#!/bin/sh\nexec "$(dirname "$0")/python" -c "{start}" "$@"\n')
    command.chmod(0o755)


def _usable(layout: Layout, previous: Stamp | None, wanted: Stamp) -> bool:
    """Whether packages can be installed into what is there, or it must be made again."""
    if previous is not None and previous.python != wanted.python:
        return False
    probe = "import sys, pip; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [_python(layout), "-c", probe], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.strip() == wanted.python


def _create(layout: Layout, log: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            what=f"{sys.executable} cannot make virtual environments",
            found="no module ensurepip",
            allowed="a Python with venv and pip",
            fix=["on Debian or Ubuntu: apt-get install python3-venv"],
        )
    # Inside an activated environment the base interpreter makes the new one: an environment made
    # by itself would be left with links to itself.
    base = getattr(sys, "_base_executable", "") or sys.executable
    run_logged(
        [base, "-m", "venv", "--clear", str(layout.venv)], cwd=layout.root, env=os.environ, log=log
    )
