"""Entry point of `python -m rig.standins API_SERVER CERTIFICATES READY_FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from rig.standins import (
    compute_classes,
    load_balancers,
    machine_deployments,
    node_classes,
    secrets,
    volumes,
    weights,
)
from rig.standins.loop import serve

CONTROLLERS = {
    "volumes": volumes.reconcile,
    "load balancers": load_balancers.reconcile,
    "compute classes": compute_classes.reconcile,
    "machine deployments": machine_deployments.reconcile,
    "node classes": node_classes.reconcile,
    "secrets": secrets.reconcile,
    "weights": weights.reconcile,
}

serve(CONTROLLERS, sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
