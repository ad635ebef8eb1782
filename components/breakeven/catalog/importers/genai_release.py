"""A release of genai-prices: is it the one whose day the prices by API carry?"""

from __future__ import annotations

import zipfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

from breakeven.catalog.apis.token_price_file import PACKAGE_DATE, PACKAGE_VERSION
from breakeven.catalog.importers.listing import SourceError


def installed_fault() -> str | None:
    """Says what is wrong with the installed package; None if its day is known."""
    installed = version("genai-prices")
    if installed == PACKAGE_VERSION:
        return None
    return (
        f"genai-prices {installed} is installed, but the day {PACKAGE_DATE.isoformat()} is that of "
        f"{PACKAGE_VERSION}: set PACKAGE_VERSION and PACKAGE_DATE in "
        "components/breakeven/catalog/apis/token_price_file.py"
    )


def release_note(path: Path) -> str:
    """Says how a wheel of genai-prices relates to the one in use, and what to do about it.

    A wheel is code, so its prices come into use by installing it, not by reading it here.

    Raises:
        SourceError: It is not a wheel of genai-prices.
    """
    release, day = _release(path)
    if release == PACKAGE_VERSION:
        return f"{path.name}: genai-prices {release} is the release in use."
    return (
        f"{path.name}: genai-prices {release}, built on {day.isoformat()}; in use is "
        f"{PACKAGE_VERSION} of {PACKAGE_DATE.isoformat()}. To use it: raise the pin in "
        "pyproject.toml, type make lock, and set PACKAGE_VERSION and PACKAGE_DATE in "
        "components/breakeven/catalog/apis/token_price_file.py."
    )


def _release(path: Path) -> tuple[str, date]:
    try:
        with zipfile.ZipFile(path) as wheel:
            for member in wheel.infolist():
                if member.filename.endswith(".dist-info/METADATA"):
                    lines = wheel.read(member).decode("utf-8").splitlines()
                    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
                    if fields.get("Name") == "genai-prices":
                        return fields["Version"], date(*member.date_time[:3])
    except (zipfile.BadZipFile, UnicodeDecodeError, KeyError):
        pass
    msg = (
        f"{path.name}: not a wheel of genai-prices; allowed: genai_prices-VERSION-py3-none-any.whl"
    )
    raise SourceError(msg)
