"""Entry point of `python tools/node`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0:1] = [str(Path(__file__).resolve().parents[1])]

from node.cli import main  # noqa: E402  # only now is the folder of packages known

sys.exit(main(sys.argv[1:]))
