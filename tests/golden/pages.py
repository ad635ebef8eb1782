"""Puts golden tables and outputs of commands into the documents that show them.

It is the last step of `make golden`.
"""

from __future__ import annotations

import re
import shlex
from contextlib import chdir
from pathlib import Path

from typer.testing import CliRunner

from breakeven.cli.app import app
from breakeven.settings.files import ROOT

TABLES = ROOT / "tests" / "golden" / "tables"
SHOWN = re.compile(
    r"(<!-- [^>]*tests/golden/tables/(?P<stack>[\w-]+)\.txt(?: \((?P<section>[^)]+)\))?[^>]*-->\n"
    r"```text\n)(?P<table>.*?)```",
    re.DOTALL,
)
"""A table in a document, after a comment that names its file, and its section unless all of it."""
NEXT = re.compile(r"\n\n(?=Monthly cost|Break-even volume|Recommendation|What would lower|Notes)")
"""What a section ends with: an empty line and the heading of another."""

PRINTED = re.compile(
    r"(<!-- output of: breakeven (?P<arguments>[^>]+?) -->\n```text\n).*?```", re.DOTALL
)
"""The output of a command in a document, after a comment that names the command."""


def documents() -> tuple[Path, ...]:
    """Returns the documents that may show tables."""
    return (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def with_tables(text: str) -> str:
    """Returns a document with the tables and outputs of today."""
    text = SHOWN.sub(lambda found: f"{found[1]}{_table(found['stack'], found['section'])}```", text)
    return PRINTED.sub(lambda found: f"{found[1]}{_output(found['arguments'])}```", text)


def _output(arguments: str) -> str:
    """Returns what a command prints, run in the folder of the project."""
    with chdir(ROOT):
        result = CliRunner().invoke(app, shlex.split(arguments), catch_exceptions=False)
    assert result.exit_code == 0, arguments
    return result.stdout.strip("\n") + "\n"


def _table(stack: str, section: str | None) -> str:
    """Returns the tables of a stack, or the part from a heading to the next heading."""
    text = (TABLES / f"{stack}.txt").read_text(encoding="utf-8").rstrip("\n") + "\n"
    if section is None:
        return text
    start = text.index(f"\n{section}\n") + 1
    return NEXT.split(text[start:], maxsplit=1)[0] + "\n"


if __name__ == "__main__":
    for document in documents():
        before = document.read_text(encoding="utf-8")
        after = with_tables(before)
        if after != before:
            document.write_text(after, encoding="utf-8")
