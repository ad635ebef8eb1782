"""Exports in pages: whether all pages were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from breakeven.traffic.values import read_whole

_PAGE = ("page", "meta.page")
_TOTAL = ("total_pages", "totalPages", "meta.totalPages", "meta.total_pages")
_NEXT = ("next_page", "nextPage", "next_cursor", "meta.cursor", "links.next")


@dataclass(slots=True)
class Pages:
    """Pages that were read.

    Attributes:
        incomplete: Last file that states that more pages follow; None if complete.
    """

    incomplete: str | None = None
    _numbers: set[int] = field(default_factory=set)
    _total: int = 0

    def add(self, name: str, told: Mapping[str, object]) -> None:
        """Records what a file states about its pages.

        Args:
            name: Of the file.
            told: Its members other than rows, by dotted path.
        """
        more = told.get("has_more", told.get("hasMore")) is True
        more = more or any(told.get(key) not in (None, "", False) for key in _NEXT)
        self.incomplete = name if more else None
        page = _first(told, _PAGE)
        self._total = max(self._total, _first(told, _TOTAL) or 0)
        if page is not None:
            self._numbers.add(page)

    def notes(self) -> tuple[str, ...]:
        """Says which pages are missing."""
        if self._numbers and len(self._numbers) < self._total:
            note = (
                f"found {len(self._numbers):,} of {self._total:,} pages, so requests are "
                "missing. Export all pages and import them together"
            )
            return (note,)
        if self.incomplete:
            return (f"{self.incomplete}: its last page says that more follow; export them too",)
        return ()


def _first(told: Mapping[str, object], names: tuple[str, ...]) -> int | None:
    found = (read_whole(told.get(name)) for name in names)
    return next((number for number in found if number is not None), None)
