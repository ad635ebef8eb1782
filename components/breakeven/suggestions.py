"""Names like the one that was asked for, so that a message about a typo can offer the fix."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

COUNT = 5


class UnknownNameError(LookupError):
    """Something that no table has.

    Attributes:
        name: What was asked for.
        near: Names that resemble it.
    """

    what = "entry"

    def __init__(self, name: str, near: tuple[str, ...]) -> None:
        self.name = name
        self.near = near
        super().__init__(f'no {self.what} "{name}"{suggestion(near)}')


def near_names(wanted: str, known: Iterable[str]) -> tuple[str, ...]:
    """Returns up to five known names that resemble `wanted`, best first, ignoring case.

    Names that contain `wanted` come first, then those within a few letters of it.
    """
    by_lower = {name.lower(): name for name in known}
    text = wanted.lower()
    containing = sorted(name for name in by_lower if text and text in name)
    close = get_close_matches(text, by_lower, n=COUNT, cutoff=0.6)
    ordered = dict.fromkeys([*containing, *close])
    return tuple(by_lower[name] for name in ordered)[:COUNT]


def suggestion(near: tuple[str, ...]) -> str:
    """Returns the end of a message, such as "; near: l4, l40s", or nothing."""
    return f"; near: {', '.join(near)}" if near else ""
