"""The commands of docs/air-gap.md that tests run as they stand on the page."""

from __future__ import annotations

import re
from pathlib import Path

from breakeven.settings.files import ROOT

PAGE = ROOT / "docs" / "air-gap.md"


def first_time_commands(bundle: Path, key: Path, release: int, target: Path) -> str:
    """Returns the commands of the page, with other places than those of its example."""
    text = PAGE.read_text(encoding="utf-8")
    [block] = re.finditer(r"```\n(cd /media/air-gapped-bundle.*?)```", text, re.DOTALL)
    commands = block[1]
    for place, here in {
        "/media/air-gapped-bundle": bundle,
        "/etc/breakeven/release.pub": key,
        "/opt/breakeven": target,
        "--release 1": f"--release {release}",
    }.items():
        assert place in commands
        commands = commands.replace(place, str(here))
    return commands


def shell_function() -> str:
    """Returns the line of the page after which `breakeven` is a command, as a script needs it."""
    lines = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith(("breakeven()", "alias "))
    ]
    [line] = {*lines}
    return line
