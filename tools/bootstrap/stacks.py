"""Makes the stack that a command names, and keeps its salt out of the committed stack file.

Pulumi's passphrase provider writes an `encryptionsalt` into the stack's settings at `stack init`,
and again at every preview or update that finds none. The salt belongs to one checkout's passphrase,
so in a committed file it would lock out everyone else, and every preview would dirty the checkout.
Hence the stack is made in a folder of its own under the state folder, and commands that deploy read
their settings from a copy there: the committed file plus the salt. A stack file that has a salt or
a secrets provider of its own, as after `pulumi config set --secret`, is used as it is.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap import state
from bootstrap.console import SetupError
from bootstrap.engine import Engine
from bootstrap.layout import Layout, replace_text

DEPLOYING = {"preview", "pre", "up", "update", "refresh", "destroy", "down", "dn", "import"}
# Global options of Pulumi whose value is the next argument; what follows them is not a subcommand.
_VALUED = {
    *("-C", "--cwd", "--color", "-v", "--verbose", "--tracing", "--otel-traces"),
    *("--profiling", "--memprofilerate", "-s", "--stack"),
}
_SALT = re.compile(r"^encryptionsalt:.*$", re.MULTILINE)
_OWN_SECRETS = re.compile(r"^(encryptionsalt|secretsprovider|encryptedkey):", re.MULTILINE)


def prepare(
    layout: Layout, engine: Engine, environ: Mapping[str, str], arguments: Sequence[str]
) -> list[str]:
    """Make the named stack where the backend lacks it, and point Pulumi at its settings.

    Args:
        layout: The folders of the checkout.
        engine: The Pulumi in use.
        environ: The environment in which Pulumi will run.
        arguments: What the user typed after `pulumi`.

    Returns:
        The arguments to run Pulumi with.
    """
    position = _subcommand(arguments)
    if (
        position is None
        or arguments[position] == "stack"
        or not state.is_local(layout, environ)
        or not _is_own_project(layout, arguments)
    ):
        return list(arguments)
    stack = _option(arguments, "-s", "--stack") or environ.get("PULUMI_STACK", "")
    deploys = arguments[position] in DEPLOYING
    if not stack and deploys:
        stack = _selected(layout, engine, environ)
    if not stack:
        return list(arguments)
    name = stack.rsplit("/", 1)[-1]
    _ensure_stack(layout, engine, environ, name)
    writes_settings = _option(arguments, "-c", "--config") or _option(arguments, "--config-file")
    committed = layout.stacks / f"Pulumi.{name}.yaml"
    if not deploys or writes_settings or not committed.is_file():
        return list(arguments)
    text = committed.read_text(encoding="utf-8")
    if _OWN_SECRETS.search(text):
        return list(arguments)
    settings = _write_settings(layout, name, text)
    return [*arguments[: position + 1], "--config-file", str(settings), *arguments[position + 1 :]]


def to_be_previewed(
    layout: Layout, environ: Mapping[str, str], arguments: Sequence[str]
) -> str | None:
    """Returns the stack of stacks/ that a command previews; None if it does something else.

    Args:
        layout: The folders of the checkout.
        environ: The environment of the command.
        arguments: What the user typed after `pulumi`.
    """
    position = _subcommand(arguments)
    if position is None or arguments[position] not in {"preview", "pre"}:
        return None
    stack = _option(arguments, "-s", "--stack") or environ.get("PULUMI_STACK", "")
    name = stack.rsplit("/", 1)[-1]
    there = name in _committed_stacks(layout) and _is_own_project(layout, arguments)
    return name if there else None


def _subcommand(arguments: Sequence[str]) -> int | None:
    skip = False
    for position, argument in enumerate(arguments):
        if skip:
            skip = False
        elif argument in _VALUED:
            skip = True
        elif not argument.startswith("-"):
            return position
    return None


def _option(arguments: Sequence[str], *names: str) -> str:
    """The value of an option in any of the ways in which it may be written, or ''."""
    for position, argument in enumerate(arguments):
        if argument in names:
            return arguments[position + 1] if position + 1 < len(arguments) else ""
        for name in names:
            if argument.startswith(f"{name}="):
                return argument[len(name) + 1 :]
            if not name.startswith("--") and argument.startswith(name) and argument[1] != "-":
                return argument[len(name) :]
    return ""


def _is_own_project(layout: Layout, arguments: Sequence[str]) -> bool:
    """Whether Pulumi, which looks upwards for its project file, will find this checkout's."""
    start = (Path.cwd() / _option(arguments, "-C", "--cwd")).resolve()
    for folder in (start, *start.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder == layout.root
    return False


def _project(layout: Layout) -> str:
    text = (layout.root / "Pulumi.yaml").read_text(encoding="utf-8")
    match = re.search(r"^name:\s*[\"']?([\w.-]+)", text, re.MULTILINE)
    if match is None:
        raise SetupError(
            what=f"{layout.root / 'Pulumi.yaml'} names no project",
            allowed="a line such as `name: breakeven`",
            fix=["git checkout -- Pulumi.yaml"],
        )
    return match.group(1)


def _committed_stacks(layout: Layout) -> list[str]:
    return sorted(file.name[7:-5] for file in layout.stacks.glob("Pulumi.*.yaml"))


def _selected(layout: Layout, engine: Engine, environ: Mapping[str, str]) -> str:
    answer = subprocess.run(
        [engine.pulumi, "stack", "--show-name", "--non-interactive"],
        cwd=layout.root,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode == 0 and answer.stdout.strip():
        return answer.stdout.strip()
    raise SetupError(
        what="no stack is named, and none is selected",
        allowed=f"one of {', '.join(_committed_stacks(layout))}",
        fix=["name it: -s STACK (with make: STACK=…)"],
    )


def _ensure_stack(layout: Layout, engine: Engine, environ: Mapping[str, str], name: str) -> None:
    project = _project(layout)
    recorded = state.stack_file(layout, project, name)
    if recorded.is_file():
        return
    if name not in _committed_stacks(layout):
        raise SetupError(
            what=f"stack {name!r} not found",
            found=f"no file stacks/Pulumi.{name}.yaml",
            allowed=f"one of {', '.join(_committed_stacks(layout)) or '(stacks/ holds none)'}",
            fix=[f"breakeven init {name}, or name an existing stack"],
        )
    folder = _settings_folder(layout)
    folder.mkdir(exist_ok=True)
    replace_text(folder / "Pulumi.yaml", f"name: {project}\nruntime: python\n")
    answer = subprocess.run(
        [
            *(engine.pulumi, "stack", "init", name, "--no-select", "--non-interactive"),
            *("--secrets-provider", "passphrase", "--cwd", str(folder)),
        ],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    # Another process may have made it meanwhile; what counts is that it is there.
    if not recorded.is_file():
        raise SetupError(
            what=f"Pulumi could not make the stack {name!r}",
            found=(answer.stderr or answer.stdout).strip(),
            fix=[f"look at the state folder: {layout.state}"],
        )


def _settings_folder(layout: Layout) -> Path:
    return layout.state / "settings"


def _write_settings(layout: Layout, name: str, committed: str) -> Path:
    folder = _settings_folder(layout)
    folder.mkdir(exist_ok=True)
    file = folder / f"Pulumi.{name}.yaml"
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    salt = _SALT.search(before)
    text = f"{committed.rstrip()}\n{salt.group()}\n" if salt else committed
    if text != before:
        replace_text(file, text)
    return file
