"""Entry point of the Pulumi program."""

import sys
from pathlib import Path

# The package lies one folder below this file.
sys.path.insert(0, str(Path(__file__).resolve().parent / "components"))

import pulumi

from breakeven.program import main

pulumi.run(main)
