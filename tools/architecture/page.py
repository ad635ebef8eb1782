"""The table of folders in docs/architecture.md: every folder of the package and what it is for."""

from __future__ import annotations

import re
from pathlib import Path

from architecture.drawing import drawing
from architecture.rooms import folders, modules, purpose

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "architecture.md"
PICTURE = DOCS / "architecture.svg"

_BETWEEN = re.compile(r"(?<=<!-- folders -->\n).*?(?=<!-- end of folders -->)", re.DOTALL)


def table() -> str:
    """Return the table as Markdown: modules of the package itself first, then its folders."""
    rows = [
        *(f"| `{name}` | {line} |" for name, line in modules().items()),
        *(f"| `{folder}/` | {purpose(folder)} |" for folder in folders()),
    ]
    return "\n".join(["| below `components/breakeven/` | purpose |", "|---|---|", *rows, ""])


def page(text: str) -> str:
    """Return the page with the current table.

    Args:
        text: The page as it is.
    """
    return _BETWEEN.sub(lambda _: table(), text)


def write() -> None:
    """Write the table and the drawing."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    PICTURE.write_text(drawing(), encoding="utf-8")
