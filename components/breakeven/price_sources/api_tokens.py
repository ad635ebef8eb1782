"""Token prices of APIs, as genai-prices publishes them for its own updater."""

from __future__ import annotations

from datetime import date

from breakeven.catalog.apis.token_price_file import TokenPriceFileError, file_text
from breakeven.price_sources.client import Client, FetchError, shown

NAME = "api"
"""As --source-url takes it."""

TITLE = "genai-prices, token prices of APIs"

BASE = "https://raw.githubusercontent.com/pydantic/genai-prices/refs/heads/main"

_PATH = "/prices/new_data/v2/data.json"
"""The address of genai-prices' `UpdatePrices`; v2 is the form that 0.2 and later read."""


def fetch(client: Client, base: str, day: date) -> str:
    """Fetches the newest token prices and returns the file that holds them.

    Raises:
        FetchError: They cannot be fetched, or genai-prices cannot read them.
    """
    url = f"{base}{_PATH}"
    try:
        return file_text(client.body(url), day)
    except TokenPriceFileError as error:
        msg = f"{shown(url)}: invalid response: {error}"
        raise FetchError(msg) from None
