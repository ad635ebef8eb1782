"""What a kind of export is: how it is recognized, and which column means what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polars import DataType, Expr

Columns = Mapping[str, "DataType"]
"""Type of each column of an export, by its name as the export spells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of export.

    Attributes:
        name: As messages call it.
        needs: Columns without which it is not this kind, in lower case.
        tags: The column of tags or labels, in lower case.
        service: Returns the provider's name of the service.
        item: Returns what was used.
        unit: Returns the unit of the quantity.
        quantity: Returns the quantity as text or number.
        cost: Returns the cost as text or number: amortized, where the export has both.
        kind: Returns "usage", "unused" (a commitment that nothing used), "tax" or "credit".
        start: Returns the first moment of a row, as text of ISO 8601.
        end: Returns the last moment of a row, likewise.
        currency: Returns the currency of the cost.
        tag_keys: Returns the spellings of a tag's key in this export.
    """

    name: str
    needs: frozenset[str]
    tags: str
    service: Callable[[Reader], Expr]
    item: Callable[[Reader], Expr]
    unit: Callable[[Reader], Expr]
    quantity: Callable[[Reader], Expr]
    cost: Callable[[Reader], Expr]
    kind: Callable[[Reader], Expr]
    start: Callable[[Reader], Expr]
    end: Callable[[Reader], Expr]
    currency: Callable[[Reader], Expr]
    tag_keys: Callable[[str], tuple[str, ...]] = field(default=lambda key: (key,))

    def recognizes(self, columns: Columns) -> bool:
        """Tells by the names of its columns whether an export is of this kind."""
        return self.needs <= {name.lower() for name in columns}


class Reader:
    """The columns of one export, by name in any case."""

    def __init__(self, columns: Columns) -> None:
        self._spelled = {name.lower(): name for name in columns}
        self.types = {name.lower(): kind for name, kind in columns.items()}

    def has(self, name: str) -> bool:
        """Whether the export has a column."""
        return name in self._spelled

    def spelling(self, name: str) -> str:
        """Returns a column's name as the export spells it."""
        return self._spelled[name]

    def column(self, *names: str) -> Expr:
        """Returns the first of some columns that the export has; nulls where it has none."""
        import polars as pl  # noqa: PLC0415 -- takes a while to load

        found = next((self._spelled[name] for name in names if name in self._spelled), None)
        return pl.lit(None, dtype=pl.String) if found is None else pl.col(found)

    def text(self, *names: str) -> Expr:
        """Returns a column as text; empty for null."""
        import polars as pl  # noqa: PLC0415 -- takes a while to load

        return self.column(*names).cast(pl.String).fill_null("")

    def joined(self, *names: str) -> Expr:
        """Returns the columns that the export has as one text."""
        import polars as pl  # noqa: PLC0415 -- takes a while to load

        there = [self.text(name) for name in names if self.has(name)]
        return pl.concat_str(there, separator=" ") if there else pl.lit("")
