"""The price book for the commands; what is wrong with it is the user's to mend."""

from __future__ import annotations

from breakeven.catalog.price_file import BOOK_PATH, BookFile, PriceFileError, read_book
from breakeven.errors import PriceBookError


def book_for_command() -> BookFile:
    """Returns the price book.

    Raises:
        PriceBookError: It is damaged; the message names line and entry.
    """
    try:
        return read_book()
    except PriceFileError as error:
        raise PriceBookError(error, BOOK_PATH) from None
