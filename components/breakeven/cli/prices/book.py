"""The price book for the commands, with errors for the user to fix."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from breakeven.catalog.apis import token_price_file
from breakeven.catalog.price_book import PriceBook
from breakeven.catalog.price_file import BookFile, check_all, read_book
from breakeven.catalog.price_rows import PriceFileError
from breakeven.errors import PriceBookError
from breakeven.settings.files import PRICES


def book_for_command(own: Path | None = None) -> BookFile:
    """Returns the included price book, overridden by the user's own prices; checks all entries.

    Args:
        own: Folder of the user's own prices; None for that of the checkout.

    Raises:
        PriceBookError: It is invalid; the message names file, line and entry.
    """
    try:
        book = read_book(own=own or PRICES)
        check_all(book)
        token_price_file.use(own or PRICES)
    except (PriceFileError, token_price_file.TokenPriceFileError) as error:
        raise PriceBookError(error, error.path or PRICES) from None
    return book


def dated_book(today: date, region: str) -> PriceBook:
    """Returns the price book for queries about a region.

    Args:
        today: Day from which ages are counted.
        region: Default region of queries.

    Raises:
        PriceBookError: The user's own part is invalid; the message names file, line and entry.
    """
    try:
        return PriceBook.load(today=today, region=region, own=PRICES)
    except PriceFileError as error:
        raise PriceBookError(error, error.path) from None
