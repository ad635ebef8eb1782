"""Writes the table and the drawing of docs/architecture.md: `python tools/architecture`."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1])]
    from architecture.page import write

    write()
