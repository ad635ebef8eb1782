"""Fit the constants of the roofline to the published measurements: python tools/calibration."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0:1] = [str(ROOT / "tools"), str(ROOT / "components")]

from calibration.fit import main  # noqa: E402 (the path had to be set first)

main()
