"""The policy pack for every stack."""

import sys
from pathlib import Path

# A pack is started in its own folder, where the project is not found.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "components"))

from breakeven.policy.pack import serve  # needs the line above
from breakeven.policy.rule import Pack  # as above

serve(Pack.HARDENING)
