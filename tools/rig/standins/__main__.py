"""Entry point of `python -m rig.standins API_SERVER CERTIFICATES READY_FILE`."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

import urllib3

from rig.api import Api, ApiError
from rig.standins import (
    compute_classes,
    load_balancers,
    machine_deployments,
    node_classes,
    secrets,
    volumes,
    weights,
)

POLL_SECONDS = 0.5
CONTROLLERS = {
    "volumes": volumes.reconcile,
    "load balancers": load_balancers.reconcile,
    "compute classes": compute_classes.reconcile,
    "machine deployments": machine_deployments.reconcile,
    "node classes": node_classes.reconcile,
    "secrets": secrets.reconcile,
    "weights": weights.reconcile,
}

log = logging.getLogger("rig.standins")


def main(address: str, certificates: Path, ready: Path) -> None:
    """Look at the cluster again and again, and answer what waits."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    api = Api.connect(address, certificates)
    ready.touch()
    while True:
        for name, reconcile in CONTROLLERS.items():
            try:
                for done in reconcile(api):
                    log.info("%s: %s", name, done)
            except (ApiError, urllib3.exceptions.HTTPError) as error:
                # The API server may be away for a while, or an object changed meanwhile.
                log.warning("%s: %s", name, error)
        time.sleep(POLL_SECONDS)


main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
