"""Facts about API offers that genai-prices does not have, and a second opinion on their prices.

One line per offer and source in data/api_offers.csv, sorted, so that an update can be reviewed as a
diff; `breakeven prices import-apis FILE` writes it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from breakeven.catalog.apis.prices import TokenRates

OFFERS_PATH = Path(__file__).parents[1] / "data" / "api_offers.csv"
REGIONS_PATH = Path(__file__).parents[1] / "data" / "api_regions.csv"

REGIONS = ("eu", "uk", "ch", "us", "ca", "ap", "sa", "cn", "global")
"""Where an API processes requests: eu is the European Union, ap is Asia and Pacific."""

_IN_THE_UK, _IN_SWITZERLAND = "eu-west-2", "eu-central-2"
_REGION = re.compile(r"(eu|us|ap|apac|jp|au|ca|sa|cn|global)([-./].*)")
_QUANTIZATION = re.compile(
    r"(?<![a-z0-9])(nvfp4|mxfp4|fp4|fp8|int4|int8|awq|gptq|bf16|fp16)(?![a-z0-9])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOffer:
    """What one source says about one offer. Prices in USD per 1M tokens.

    Attributes:
        provider: As in a reference "provider/model".
        model: As the provider names it.
        input: Input tokens; None if the source has no price.
        cached_read: Input tokens read from the provider's cache; None if it names none.
        cache_write: Input tokens written to that cache; None if it names none.
        output: Output tokens; None if the source has no price.
        batch_input: Input tokens by batch API; None if it names none.
        batch_output: Output tokens by batch API; None if it names none.
        max_input_tokens: Longest input; None if unknown.
        max_output_tokens: Longest output; None if unknown.
        retires: First day on which it is not served any more; None if none is announced.
        quantization: Of the weights, where the offer's name states it; otherwise empty.
        region: One of `REGIONS`, where the offer's name states it; otherwise empty.
        source: Source of all fields.
        as_of: Day of the source.
    """

    provider: str
    model: str
    input: Decimal | None = None
    cached_read: Decimal | None = None
    cache_write: Decimal | None = None
    output: Decimal | None = None
    batch_input: Decimal | None = None
    batch_output: Decimal | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    retires: date | None = None
    quantization: str = ""
    region: str = ""
    source: str
    as_of: date

    @property
    def is_priced(self) -> bool:
        """Whether it has prices; a free offer cannot be compared."""
        return bool(self.input and self.output)

    @property
    def rates(self) -> TokenRates:
        """USD per 1M tokens of each kind; 0 if it has no price."""
        plain = self.input or Decimal(0)
        return TokenRates(
            input=plain,
            cached_input=plain if self.cached_read is None else self.cached_read,
            output=self.output or Decimal(0),
            cache_write=self.cache_write,
            batch_input=self.batch_input,
            batch_output=self.batch_output,
        )


COLUMNS = tuple(field.name for field in fields(ApiOffer))


class OffersFileError(ValueError):
    """A file of offers that cannot be read; the message names line, value and what is allowed."""


def read_offers(lines: Iterable[str], name: str) -> Iterator[ApiOffer]:
    """Yields the offers of a file.

    Args:
        lines: Its lines, the heading among them.
        name: Name of the file, for messages.

    Raises:
        OffersFileError: A column is missing, or a value cannot be used.
    """
    rows = csv.DictReader(lines)
    if tuple(rows.fieldnames or ()) != COLUMNS:
        msg = f"{name}, line 1: found {rows.fieldnames}. Allowed: {','.join(COLUMNS)}"
        raise OffersFileError(msg)
    for row in rows:
        try:
            yield offer_of(row)
        except (ArithmeticError, ValueError, TypeError) as error:
            msg = f"{name}, line {rows.line_num}: {error}"
            raise OffersFileError(msg) from None


def offer_of(row: dict[str, str]) -> ApiOffer:
    """Reads an offer from the texts of its columns.

    Raises:
        ValueError: A text is not of its kind; or ArithmeticError if it is not a number.
    """

    def price(column: str) -> Decimal | None:
        return Decimal(row[column]) if row[column] else None

    def tokens(column: str) -> int | None:
        return int(row[column]) if row[column] else None

    return ApiOffer(
        provider=row["provider"],
        model=row["model"],
        input=price("input"),
        cached_read=price("cached_read"),
        cache_write=price("cache_write"),
        output=price("output"),
        batch_input=price("batch_input"),
        batch_output=price("batch_output"),
        max_input_tokens=tokens("max_input_tokens"),
        max_output_tokens=tokens("max_output_tokens"),
        retires=date.fromisoformat(row["retires"]) if row["retires"] else None,
        quantization=row["quantization"],
        region=row["region"],
        source=row["source"],
        as_of=date.fromisoformat(row["as_of"]),
    )


def offers_text(offers: Iterable[ApiOffer]) -> Iterator[str]:
    """Yields the rows of a file of offers, sorted, as lists of texts are joined to lines."""
    ordered = sorted(offers, key=lambda each: (each.provider, each.model, each.source))
    yield ",".join(COLUMNS)
    for offer in ordered:
        yield ",".join(_cell(getattr(offer, column)) for column in COLUMNS)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return f'"{text}"' if "," in text else text


def stated_region(model: str) -> str:
    """Returns the region that an offer's name begins with, such as "eu-west-1/..."; else ""."""
    if model.startswith(_IN_THE_UK):
        return "uk"
    if model.startswith(_IN_SWITZERLAND):
        return "ch"
    found = _REGION.fullmatch(model)
    if found is None:
        return ""
    return {"apac": "ap", "jp": "ap", "au": "ap"}.get(found[1], found[1])


def stated_quantization(model: str) -> str:
    """Returns the precision that an offer's name states, such as "fp8"; else ""."""
    found = _QUANTIZATION.search(model.lower())
    return "" if found is None else found[1]


def find_offers(reference: str) -> tuple[ApiOffer, ...]:
    """Returns what the sources say about an offer, by source; nothing if none lists it.

    Args:
        reference: "provider/model". Case does not matter; of a longer name its last part is enough
            where it is unique, because sources shorten names such as "accounts/NAME/models/MODEL".
    """
    provider, _, model = reference.partition("/")
    offers = _of_provider(provider)
    wanted = model.lower()
    exact = tuple(offer for offer in offers if offer.model.lower() == wanted)
    if exact:
        return exact
    last = wanted.rpartition("/")[2]
    near = tuple(offer for offer in offers if offer.model.lower().rpartition("/")[2] == last)
    is_unique = len({offer.model for offer in near}) == 1 and not any(o.region for o in near)
    return near if is_unique else ()


def offered_names() -> tuple[str, ...]:
    """Returns all offers as provider/model, sorted. No row is read further than its name."""
    _, *lines = _lines()
    return tuple(sorted({"/".join(line.split(",", 2)[:2]) for line in lines}))


def sources_of(provider: str) -> frozenset[tuple[str, date]]:
    """Returns the sources that list offers of a provider, each with its day."""
    return frozenset((offer.source, offer.as_of) for offer in _of_provider(provider))


@cache
def _lines() -> tuple[str, ...]:
    return tuple(OFFERS_PATH.read_text(encoding="utf-8").splitlines())


@cache
def _of_provider(provider: str) -> tuple[ApiOffer, ...]:
    heading, *lines = _lines()
    own = [line for line in lines if line.startswith(f"{provider},")]
    return tuple(read_offers([heading, *own], OFFERS_PATH.name))


@dataclass(frozen=True, slots=True)
class ProviderRegion:
    """Where a provider processes all requests, and the source."""

    region: str
    source: str
    as_of: date


def find_provider_region(provider: str) -> ProviderRegion | None:
    """Returns where a provider processes requests; None if no source says it for all offers."""
    return _provider_regions().get(provider)


@cache
def _provider_regions() -> dict[str, ProviderRegion]:
    with REGIONS_PATH.open(encoding="utf-8", newline="") as stream:
        return {
            row["provider"]: ProviderRegion(
                row["region"], row["source"], date.fromisoformat(row["as_of"])
            )
            for row in csv.DictReader(stream)
        }
