"""The edge at which a user's mistake becomes an error that Pulumi prints without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pulumi

from breakeven.errors import UserError


@contextmanager
def user_errors() -> Iterator[None]:
    """Turns each UserError of a block into a RunError: Pulumi prints its message alone.

    Put it around the body of a program's main(). Anything else passes with its traceback.

    Raises:
        RunError: The block raised a UserError; the message is the same.
    """
    try:
        yield
    except UserError as error:
        raise pulumi.RunError(str(error)) from error
