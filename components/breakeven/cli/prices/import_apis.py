"""`breakeven prices import-apis`: rebuilds the data on API offers from a table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from breakeven.catalog.apis.offers import (
    OFFERS_PATH,
    ApiOffer,
    OffersFileError,
    offers_text,
    read_offers,
)
from breakeven.catalog.importers.api_table import read_table
from breakeven.catalog.importers.listing import SourceError
from breakeven.cli.files import write_whole
from breakeven.errors import UserError
from breakeven.reports.formatting import counted


class ImportApisError(UserError):
    """The data on API offers was not rebuilt; it is unchanged."""


def import_apis(
    file: Annotated[
        Path, typer.Argument(help="CSV table of offers; docs/prices.md lists the columns.")
    ],
    output: Annotated[
        Path | None, typer.Option(help="File to write. Default: the one in use.")
    ] = None,
) -> None:
    """Rebuild retirement dates, limits, and second prices of APIs. Offers from other sources stay.

    Example: breakeven prices import-apis api_models.csv
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            found = list(read_table(stream, file.name))
        _check_days(found, file.name)
        before = _in_use()
    except OSError as error:
        msg = f"{file}: {error.strerror or error}. Nothing was changed"
        raise ImportApisError(msg) from None
    except UnicodeDecodeError:
        msg = f"{file}: not UTF-8. Nothing was changed"
        raise ImportApisError(msg) from None
    except (SourceError, OffersFileError) as error:
        msg = f"{error}. Nothing was changed"
        raise ImportApisError(msg) from None
    after = merged(before, found)
    target = output or OFFERS_PATH
    write_whole(target, "\n".join(offers_text(after)))
    old, new = ({_key(offer): offer for offer in offers} for offers in (before, after))
    added, gone = len(new.keys() - old.keys()), len(old.keys() - new.keys())
    changed = sum(1 for key in old.keys() & new.keys() if old[key] != new[key])
    typer.echo(
        f"{counted(added, 'offer')} new, {changed} changed, {gone} gone; {len(new):,} in all."
    )
    typer.echo(f"Written: {target}")


def merged(before: Iterable[ApiOffer], found: Iterable[ApiOffer]) -> list[ApiOffer]:
    """Returns the offers in use, with those of the table's sources replaced; the last row counts.

    A source is a name and a version, such as "litellm 1.110.2": a newer version replaces an older.
    """
    by_key = {_key(offer): offer for offer in found}
    sources = {_source(offer) for offer in by_key.values()}
    kept = [offer for offer in before if _source(offer) not in sources]
    return [*kept, *by_key.values()]


def _source(offer: ApiOffer) -> str:
    return offer.source.partition(" ")[0]


def _key(offer: ApiOffer) -> tuple[str, str, str]:
    return offer.provider, offer.model, _source(offer)


def _in_use() -> list[ApiOffer]:
    with OFFERS_PATH.open(encoding="utf-8", newline="") as stream:
        return list(read_offers(stream, OFFERS_PATH.name))


def _check_days(offers: Iterable[ApiOffer], name: str) -> None:
    """Rejects future dates."""
    today = datetime.now(tz=UTC).date()
    for offer in offers:
        if offer.as_of > today:
            msg = (
                f"{name}: {offer.provider}/{offer.model} has the date {offer.as_of.isoformat()}. "
                f"Allowed: dates up to today, {today.isoformat()}"
            )
            raise SourceError(msg)
