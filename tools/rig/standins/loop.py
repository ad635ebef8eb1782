"""Looks at the cluster again and again, and lets stand-ins answer what waits."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import urllib3

from rig.api import Api, ApiError

POLL_SECONDS = 0.5

log = logging.getLogger("standins")


def serve(
    controllers: Mapping[str, Callable[[Api], Iterator[str]]],
    address: str,
    certificates: Path,
    ready: Path,
) -> None:
    """Run stand-ins until the process is ended.

    Args:
        controllers: What each does in one round, by name; it yields what it did.
        address: Of the API server.
        certificates: The folder with the administrator's certificate.
        ready: A file that is made when the first round begins.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    api = Api.connect(address, certificates)
    ready.touch()
    while True:
        for name, reconcile in controllers.items():
            try:
                for done in reconcile(api):
                    log.info("%s: %s", name, done)
            except (ApiError, urllib3.exceptions.HTTPError) as error:
                # The API server may be away for a while, or an object changed meanwhile.
                log.warning("%s: %s", name, error)
        time.sleep(POLL_SECONDS)
