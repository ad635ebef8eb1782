"""Entry point of `python -m node.standins API_SERVER CERTIFICATES VOLUMES READY_FILE`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from node.standins import volumes
from rig.standins import secrets
from rig.standins.loop import serve

_, address, certificates, folder, ready = sys.argv
serve(
    {"volumes": partial(volumes.reconcile, folder=Path(folder)), "secrets": secrets.reconcile},
    address,
    Path(certificates),
    Path(ready),
)
