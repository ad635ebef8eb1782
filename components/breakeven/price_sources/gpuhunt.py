"""The catalogs that gpuhunt (MPL-2.0) publishes of GPU clouds, and of the large ones.

As its `Catalog.load` does: CLOUD/version names the newest version, which starts with its day, and
CLOUD/VERSION/catalog.zip holds CLOUD.csv. The library itself is not used: it reads bodies of any
size and without a time limit. It needs no credentials.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from dataclasses import replace
from datetime import date
from io import TextIOWrapper

from breakeven.catalog.importers import gpuhunt
from breakeven.catalog.importers.kinds import kind_named, read_listing
from breakeven.catalog.importers.listing import Listing
from breakeven.price_sources.client import FetchError, shown
from breakeven.price_sources.source import Job

BASE = "https://dstack-gpu-pricing.s3.eu-west-1.amazonaws.com/v3"

PROVIDERS = ("aws", "azure", "cloudrift", "gcp", "lambdalabs", "nebius", "oci", "runpod", "verda")
"""Clouds with a published catalog, by gpuhunt's names."""

CLOUDS = frozenset(gpuhunt.CLOUDS.get(name, name) for name in PROVIDERS)

_NAMES = {gpuhunt.CLOUDS.get(name, name): name for name in PROVIDERS}
_VERSION = re.compile(r"(?P<day>20\d{6})-\d{1,9}")
_LARGEST = 512 << 20
"""Bytes of a catalog, unpacked."""


def fetch(job: Job) -> Listing:
    """Fetches the newest catalog of a cloud.

    Raises:
        FetchError: It cannot be fetched.
        SourceError: It cannot be read.
    """
    provider = _NAMES[job.cloud]
    address = f"{job.base}/{provider}/version"
    version = job.client.body(address).decode("utf-8", errors="replace").strip()
    found = _VERSION.fullmatch(version)
    day = _day(found["day"]) if found else None
    if day is None:
        msg = f"{shown(address)}: the response is not a version such as 20260818-42"
        raise FetchError(msg)
    name = f"gpuhunt catalog of {job.cloud}, {version}"
    selection = replace(job.selection, as_of=day, cloud=provider)
    address = f"{job.base}/{provider}/{version}/catalog.zip"
    with tempfile.TemporaryFile() as file:
        job.client.download(address, file)
        try:
            with zipfile.ZipFile(file) as packed:
                member = packed.getinfo(f"{provider}.csv")
                if member.file_size > _LARGEST:
                    msg = f"{shown(address)}: unpacks to more than {_LARGEST >> 20} MiB"
                    raise FetchError(msg)
                with packed.open(member) as inside:
                    text = TextIOWrapper(inside, encoding="utf-8-sig", newline="")
                    return read_listing(text, name, kind_named("gpuhunt-csv"), selection)
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError):
            msg = f"{shown(address)}: not a zip file with {provider}.csv"
            raise FetchError(msg) from None


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
