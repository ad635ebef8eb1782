"""Token prices in use: those that genai-prices packs, or newer ones that a refresh saved.

The file holds what genai-prices' own updater downloads (prices/new_data/v2/data.json of its
repository), a provider a line, and the day on which it was fetched. The older of the two is not
used, so that an update of the package counts. Both are loaded when they are first needed, as that
takes a tenth of a second.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genai_prices.types import Provider

PACKAGE_VERSION = "0.2.3"
"""Version of genai-prices that `PACKAGE_DATE` belongs to."""

PACKAGE_DATE = date(2026, 11, 10)
"""Day of its upload to PyPI. The package does not say when each of its prices was checked."""

FILE_NAME = "api-prices.json"
"""Name of the file in the folder of the user's own prices."""


class TokenPriceFileError(ValueError):
    """The file cannot be used; the message says why.

    Attributes:
        path: The file; None for what was not saved yet.
    """

    def __init__(self, message: str, path: Path | None = None) -> None:
        self.path = path
        super().__init__(message if path is None else f"{path.name}{message}")


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """Token prices of all APIs.

    Attributes:
        source: For people, such as "genai-prices 0.2.3".
        as_of: Day of the prices.
        path: File that holds them; None for those of the package.
    """

    source: str
    as_of: date
    path: Path | None = None

    def providers(self) -> list[Provider]:
        """Returns all providers with their models and prices, and makes genai-prices use them."""
        from genai_prices import data_snapshot  # noqa: PLC0415  # see the module's docstring

        snapshot = None if self.path is None else _snapshot(self.path)
        data_snapshot.set_custom_snapshot(snapshot)
        return data_snapshot.get_snapshot().providers


_PACKED = TokenPrices(f"genai-prices {PACKAGE_VERSION}", PACKAGE_DATE)

_in_use = [_PACKED]


def in_use() -> TokenPrices:
    """Returns the token prices that estimates use."""
    return _in_use[0]


def use(folder: Path | None) -> TokenPrices:
    """Chooses between the package's prices and those saved in a folder.

    Args:
        folder: Where a refresh saves; None for the package's.

    Raises:
        TokenPriceFileError: The file is damaged.
    """
    path = folder / FILE_NAME if folder else None
    saved = _saved(path) if path and path.is_file() else _PACKED
    if saved.path is not None and saved.as_of >= PACKAGE_DATE:
        _snapshot(saved.path)
        _in_use[0] = saved
    else:
        _in_use[0] = _PACKED
    return _in_use[0]


def file_text(body: bytes, day: date) -> str:
    """Returns the file that holds what the updater downloaded.

    Args:
        body: Of the download.
        day: On which it was fetched.

    Raises:
        TokenPriceFileError: It is not a list of providers that genai-prices can read.
    """
    try:
        providers = json.loads(body)
    except (ValueError, RecursionError):
        msg = "not JSON"
        raise TokenPriceFileError(msg) from None
    _parsed(providers)
    lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in providers)
    return f'{{"as_of": "{day.isoformat()}", "providers": [\n{lines}\n]}}\n'


def model_prices(text: str) -> dict[str, str]:
    """Returns the prices of each model in a file, as text that tells whether they are the same.

    Args:
        text: Of the file.
    """
    return {
        f"{provider['id']}/{model['id']}": json.dumps(model.get("prices"), sort_keys=True)
        for provider in json.loads(text)["providers"]
        for model in provider.get("models", ())
    }


def leave_out_the_updater() -> None:
    """Lets genai-prices load without what downloads prices, for a process that never does.

    It loads an HTTP client, asyncio and TLS, which takes a tenth of a second. Call it before the
    first price is asked for.
    """
    updater = ModuleType("genai_prices.update_prices")
    names = ("UpdatePrices", "wait_prices_updated_async", "wait_prices_updated_sync")
    updater.__dict__.update(dict.fromkeys(names))
    sys.modules.setdefault(updater.__name__, updater)


def forget() -> None:
    """Forgets what was read, after a file was written."""
    _saved.cache_clear()
    _snapshot.cache_clear()
    _in_use[0] = _PACKED


@cache
def _saved(path: Path) -> TokenPrices:
    """Reads the day in the first line only."""
    try:
        with path.open(encoding="utf-8") as stream:
            head = json.loads(f"{stream.readline().strip()}]}}")
        day = date.fromisoformat(head["as_of"])
    except (OSError, ValueError, KeyError, TypeError):
        msg = ', line 1: needed: {"as_of": "2026-11-30", "providers": ['
        raise TokenPriceFileError(msg, path) from None
    return TokenPrices(f"genai-prices data of {day.isoformat()}", day, path)


@cache
def _snapshot(path: Path) -> Any:
    from genai_prices.data_snapshot import DataSnapshot  # noqa: PLC0415  # loaded late

    try:
        providers = json.loads(path.read_text(encoding="utf-8"))["providers"]
    except (OSError, ValueError, KeyError, TypeError):
        msg = ": not JSON with providers"
        raise TokenPriceFileError(msg, path) from None
    try:
        return DataSnapshot(_parsed(providers), from_auto_update=False)
    except TokenPriceFileError as error:
        msg = f": {error}"
        raise TokenPriceFileError(msg, path) from None


def _parsed(providers: object) -> list[Provider]:
    # The package's updater reads with this function, and offers no public one for data at hand.
    from genai_prices.types import _providers_from_raw  # noqa: PLC0415

    if not isinstance(providers, list) or not providers:
        msg = "not a list of providers"
        raise TokenPriceFileError(msg)
    try:
        return _providers_from_raw(providers)
    except Exception:  # noqa: BLE001  # whatever its reader stumbles over, the data is not its own
        msg = f"not in the form that genai-prices {version('genai-prices')} reads"
        raise TokenPriceFileError(msg) from None
