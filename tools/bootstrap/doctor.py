"""Looks at what is there and changes nothing: what is missing, and the command that gets it.

It runs with the standard library alone, since the packages may be what is missing.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bootstrap import cluster, engine, golang, node, packages, programs, state, vllm
from bootstrap.console import SetupError
from bootstrap.layout import Layout

OLDEST_PYTHON = (3, 11)
NEEDED_GIB = 6
"""Free space for engine, provider and their build; what was built then takes 2 GiB of it."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked for.

    Attributes:
        what: Its name.
        purpose: What needs it.
        state: "ok", "missing" where a preview needs it, or "optional" where only its purpose does.
        found: What is there.
        command: What gets it; empty where nothing is missing.
    """

    what: str
    purpose: str
    state: str
    found: str
    command: str = ""


def findings(layout: Layout, environ: Mapping[str, str]) -> list[Finding]:
    """Look at everything that this project uses, what a preview needs first."""
    return [
        _python(),
        _disk(layout),
        _state(layout, environ),
        *_packages(layout),
        *_engine(layout, environ),
        _tests(layout),
        _rig(layout),
        _node(layout),
        _vllm(layout),
        _kubeconfig(environ),
        _program("browser", "make test-browser", BROWSERS, "apt-get install chromium"),
    ]


def as_text(found: list[Finding], *, colour: bool) -> str:
    """The findings as lines, each with its command, and a last line with what to do next."""
    marks = {"ok": "ok      ", "missing": "missing ", "optional": "optional"}
    codes = {"ok": "32", "missing": "1;31", "optional": "33"}
    lines = []
    for one in found:
        mark = marks[one.state]
        shown = f"\033[{codes[one.state]}m{mark}\033[0m" if colour else mark
        lines.append(f"{shown}  {one.what}: {one.found}")
        if one.command:
            lines.append(f"          for {one.purpose}; next: {one.command}")
    if any(one.state == "missing" for one in found):
        lines.append(
            "Not ready for a preview: type the commands of what is missing, in this order."
        )
    else:
        lines.append("Ready; next: make preview")
    return "\n".join(lines)


def as_json(found: list[Finding]) -> str:
    """The findings as JSON."""
    ready = all(one.state != "missing" for one in found)
    answer = {"version": 1, "ready": ready, "findings": [asdict(one) for one in found]}
    return json.dumps(answer, indent=2)


def _needed(what: str, found: str, command: str, *, present: bool) -> Finding:
    purpose = "previews and deployments"
    return Finding(what, purpose, "ok" if present else "missing", found, "" if present else command)


def _extra(what: str, purpose: str, found: str, command: str, *, present: bool) -> Finding:
    return Finding(
        what, purpose, "ok" if present else "optional", found, "" if present else command
    )


def _python() -> Finding:
    wanted = ".".join(str(part) for part in OLDEST_PYTHON)
    return _needed(
        "Python",
        f"{platform.python_version()} at {sys.executable} ({wanted} or newer is needed)",
        f"install Python {wanted} or newer, and name it: make setup PYTHON=python{wanted}",
        present=sys.version_info[:2] >= OLDEST_PYTHON,
    )


def _disk(layout: Layout) -> Finding:
    folder = layout.cache
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / _GIB
    # Once the engine is built nothing large is written any more.
    enough = free >= NEEDED_GIB or engine.find_built(layout) is not None
    return _needed(
        "disk",
        f"{free:.1f} GiB free for {layout.cache} ({NEEDED_GIB} GiB while the engine is built)",
        "make room, or name another place: export BREAKEVEN_CACHE=/path/to/folder",
        present=enough,
    )


def _state(layout: Layout, environ: Mapping[str, str]) -> Finding:
    if not state.is_local(layout, environ):
        return _needed("state", f"a backend of your own, {state.BACKEND}", "", present=True)
    try:
        state.check(layout, environ)
    except SetupError as error:
        return _needed("state", str(error), "see the line above", present=False)
    there = "" if layout.state.is_dir() else "; made at the first preview"
    return _needed("state", f"{layout.state}{there}", "", present=True)


def _packages(layout: Layout) -> Iterator[Finding]:
    current = packages.is_current(layout, dev=False)
    found = "up to date" if current else "not installed, or not as requirements.txt says"
    yield _needed("packages", f"{found} in {layout.venv}", "make setup", present=current)
    plots = any(layout.venv.glob("lib/python*/site-packages/matplotlib"))
    yield _extra(
        "plots",
        "breakeven report --format html",
        "matplotlib is there" if plots else "no matplotlib",
        "python3 tools/bootstrap setup --dev --packages",
        present=plots,
    )


def _engine(layout: Layout, environ: Mapping[str, str]) -> Iterator[Finding]:
    parts = ("engine", "language host", "Kubernetes provider")
    official = engine.find_official(layout, environ)
    if isinstance(official, engine.Engine):
        sources = (f"Pulumi {official.version} at {official.pulumi}", "of that Pulumi")
        for part, found in zip(parts, (*sources, "that Pulumi fetches it"), strict=True):
            yield _needed(part, found, "", present=True)
        return
    built = engine.find_built(layout)
    if built is not None:
        versions = (built.version, built.version, engine.PROVIDER_VERSION)
        for part, version in zip(parts, versions, strict=True):
            yield _needed(part, f"{version} in {built.bin}", "", present=True)
        return
    why = f" ({official.reason})" if official is not None else ""
    yield _go(layout)
    for part in parts:
        yield _needed(part, f"not built{why}", "make setup", present=False)


def _go(layout: Layout) -> Finding:
    try:
        go = golang.require(layout, engine.PROGRAMS, purpose="the engine")
    except SetupError as error:
        first = str(error).splitlines()[0]
        command = "install the Go that tools/*/go.mod name, or an official Pulumi"
        return _needed("Go", first, command, present=False)
    return _needed("Go", go, "", present=True)


def _tests(layout: Layout) -> Finding:
    missing = [one.name for one in programs.PROGRAMS if programs.find_built(layout, one) is None]
    if not packages.is_current(layout, dev=True):
        missing.append("packages of requirements-dev.txt")
    return _extra(
        "tests",
        "make test",
        f"not there: {', '.join(missing)}" if missing else "all that they call",
        "python3 tools/bootstrap setup --dev",
        present=not missing,
    )


def _rig(layout: Layout) -> Finding:
    try:
        parts, _ = cluster.find(layout)
    except SetupError as error:
        found = str(error).splitlines()[1].partition("found:")[2].strip()
        return _extra("rig", "make rig", found, "make rig", present=False)
    return _extra("rig", "make rig", f"{len(parts)} programs built", "", present=True)


def _node(layout: Layout) -> Finding:
    found = {program.name: programs.find_built(layout, program) for program in node.PROGRAMS}
    missing = [name for name, folder in found.items() if folder is None]
    return _extra(
        "node",
        "make node",
        f"missing: {', '.join(missing)}" if missing else f"{len(found)} programs built",
        "make node",
        present=not missing,
    )


def _vllm(layout: Layout) -> Finding:
    installed = vllm.find(layout)
    why_not = vllm.obstacle(layout)
    found = str(installed.folder) if installed else why_not or "not installed"
    command = "" if why_not and not installed else "python3 tools/bootstrap vllm"
    return _extra("vLLM", "make vllm-check", found, command, present=installed is not None)


def _kubeconfig(environ: Mapping[str, str]) -> Finding:
    named = environ.get("KUBECONFIG", "")
    default = Path(environ.get("HOME", "/")) / ".kube" / "config"
    files = [Path(part) for part in named.split(os.pathsep) if part] or [default]
    there = [str(file) for file in files if file.is_file()]
    return _extra(
        "kubeconfig",
        "make up (a preview needs none)",
        ", ".join(there) or f"no file {', '.join(map(str, files))}",
        "export KUBECONFIG=/path/to/file; or a cluster to try it on: make rig",
        present=bool(there),
    )


def _program(what: str, purpose: str, names: tuple[str, ...], command: str) -> Finding:
    found = next((path for name in names if (path := shutil.which(name))), None)
    return _extra(what, purpose, found or f"no {names[0]} on PATH", command, present=bool(found))
