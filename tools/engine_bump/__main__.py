"""Deploy and test another release of vLLM: make engine-bump VERSION= DIGEST= SOURCE=."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0:1] = [str(ROOT / "tools"), str(ROOT / "components")]

from engine_bump.bump import main  # noqa: E402 (the path had to be set first)

sys.exit(main())
