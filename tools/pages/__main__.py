"""Builds the pages of docs/: `python tools/pages build`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "tools")]
    from pages.build import main

    sys.exit(main(sys.argv[1:]))
