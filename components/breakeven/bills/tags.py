"""Which rows of an export carry a tag: tags are a mapping, a list of pairs, or their JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from breakeven.bills.formats.format import Format, Reader

if TYPE_CHECKING:
    from polars import Expr


def carries(reader: Reader, kind: Format, key: str, value: str) -> Expr:
    """Returns whether a row carries a tag with a value.

    Args:
        reader: Columns of the export.
        kind: Of the export.
        key: Of the tag.
        value: Of the tag, exactly.
    """
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    spellings = kind.tag_keys(key)
    own = [name for spelled in spellings for name in _columns_of(kind, spelled) if reader.has(name)]
    found = [reader.text(name) == value for name in dict.fromkeys(own)]
    if reader.has(kind.tags):
        column = pl.col(reader.spelling(kind.tags))
        found.append(_in_tags(column, reader.types[kind.tags], spellings, value))
    return pl.any_horizontal(found) if found else pl.lit(value=False)


def _columns_of(kind: Format, key: str) -> tuple[str, ...]:
    return f"{kind.tags}_{key}".lower(), f"{kind.tags}/{key}".lower(), f"{kind.tags}.{key}".lower()


def _in_tags(column: Expr, kind: object, keys: tuple[str, ...], value: str) -> Expr:
    import polars as pl  # noqa: PLC0415 -- takes a while to load

    if isinstance(kind, pl.List):
        pair = pl.element().struct
        matches = pair.field("key").is_in(keys) & (pair.field("value").cast(pl.String) == value)
        return column.list.eval(matches).list.any().fill_null(value=False)
    if isinstance(kind, pl.Struct):
        names = {field.name for field in kind.fields}
        found = [column.struct.field(key).cast(pl.String) == value for key in keys if key in names]
        return pl.any_horizontal(found) if found else pl.lit(value=False)
    spelled = "|".join(re.escape(json.dumps(key)[1:-1]) for key in keys)
    quoted = re.escape(json.dumps(value))
    mapping = rf'"(?:{spelled})"\s*:\s*{quoted}'
    pairs = rf'"key"\s*:\s*"(?:{spelled})"\s*,\s*"value"\s*:\s*{quoted}'
    text = column.cast(pl.String)
    return text.str.contains(f"{mapping}|{pairs}").fill_null(value=False)
