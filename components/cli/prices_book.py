"""The price book for the commands; what is wrong with it is the user's to mend."""

from __future__ import annotations

from components.cost.price_file import BOOK_PATH, BookFile, PriceFileError, read_book
from components.errors import UserError


class PriceBookError(UserError):
    """The price book can't be used."""


def book_for_command() -> BookFile:
    """Returns the price book.

    Raises:
        PriceBookError: It is damaged; the message names line and entry.
    """
    try:
        return read_book()
    except PriceFileError as error:
        msg = f"{error}. The book is {BOOK_PATH}, its format prices.schema.json beside it"
        raise PriceBookError(msg) from None
