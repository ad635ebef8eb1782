"""Entry point of `python tools/rig`."""

import sys
from pathlib import Path

# `python tools/rig` puts this folder itself on the path; the package is found in its parent, and
# the components, whose price book names the machines, in the checkout.
sys.path[0:1] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]

from rig.cli import main  # noqa: E402 (the path had to be set first)

sys.exit(main(sys.argv[1:]))
