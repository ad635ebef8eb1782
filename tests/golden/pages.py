"""Puts golden tables into the documents that show them; the last step of `make golden`."""

from __future__ import annotations

import re
from pathlib import Path

from breakeven.settings.files import ROOT

TABLES = ROOT / "tests" / "golden" / "tables"
SHOWN = re.compile(
    r"(<!-- [^>]*tests/golden/tables/(?P<stack>[\w-]+)\.txt[^>]*-->\n```text\n)(?P<table>.*?)```",
    re.DOTALL,
)
"""A table in a document, after a comment that names its file."""


def documents() -> tuple[Path, ...]:
    """Returns the documents that may show tables."""
    return (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def with_tables(text: str) -> str:
    """Returns a document with the tables of today."""
    return SHOWN.sub(lambda found: f"{found[1]}{_table(found['stack'])}```", text)


def _table(stack: str) -> str:
    return (TABLES / f"{stack}.txt").read_text(encoding="utf-8").rstrip("\n") + "\n"


if __name__ == "__main__":
    for document in documents():
        before = document.read_text(encoding="utf-8")
        after = with_tables(before)
        if after != before:
            document.write_text(after, encoding="utf-8")
