"""From the settings of one model to the prices of the APIs that it is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from breakeven.catalog.apis.comparison import compared_price
from breakeven.catalog.apis.prices import (
    ApiPart,
    ApiPrice,
    TokenRates,
    UnknownApiModelError,
    token_rates,
)
from breakeven.catalog.apis.terms import NO_TERMS, Request, Terms
from breakeven.cost.answers.escalation import Escalation
from breakeven.cost.demand.load import Load
from breakeven.settings.api import ApiTerms
from breakeven.settings.fields import Conflict
from breakeven.settings.stack import Settings
from breakeven.suggestions import near_names


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedApis:
    """The APIs that a model is compared with.

    Attributes:
        in_use: The API in use; of several, all of them as one.
        hosted: The same open model, hosted by others.
        escalation: What an API answers again; None for nothing.
    """

    in_use: ApiPrice
    hosted: tuple[ApiPrice, ...]
    escalation: Escalation | None


def compared_apis(
    settings: Settings, load: Load, today: date
) -> tuple[ComparedApis | None, list[Conflict]]:
    """Prices the APIs of a model; None where the API in use has no price.

    Args:
        settings: Of the model.
        load: Its traffic.
        today: Day on which prices are looked up.

    Returns:
        The APIs, and what cannot be used.
    """
    api = settings.api
    hosted = api.hosted or settings.model.facts.hosted
    shares = {api.in_use: Decimal(100)}
    if api.shares:
        shares = {api.in_use: Decimal(0), **api.shares}  # api.inUse first
    request = _request(settings, load)
    lookup = _Lookup(settings, today)
    used = [
        (lookup.price("api.shares" if api.shares else "api.inUse", reference, request), percent)
        for reference, percent in shares.items()
    ]
    same = replace(request, output_tokens=load.own_output_tokens)
    offers = [lookup.price("api.hosted", reference, same) for reference in hosted]
    escalation = None
    again = api.escalation
    if again.percent:
        asked = Request(
            input_tokens=again.input_tokens or load.input_tokens,
            cached_input_tokens=0 if again.input_tokens else load.cached_input_tokens,
            output_tokens=again.output_tokens or load.output_tokens,
            longest=settings.model.max_length,
            regions=api.regions,
        )
        price = lookup.price("api.escalation.api", again.api or api.in_use, asked)
        if price is not None:
            escalation = Escalation(again.percent / 100, price)
    conflicts = [*lookup.conflicts, *_unused_terms(settings, (*shares, *hosted, again.api))]
    conflicts += _conflicts(settings)
    conflicts += _writing(settings, shares, today)
    parts = [ApiPart(price, percent / 100) for price, percent in used if price is not None]
    if len(parts) < len(shares):
        return None, conflicts
    in_use = _together(parts)
    known = (_as_good(price, escalation, same) for price in offers if price is not None)
    # An API in use that serves the same model is one option, not two.
    others = tuple(price for price in known if price != in_use)
    return ComparedApis(in_use=in_use, hosted=others, escalation=escalation), conflicts


class _Lookup:
    """Prices by reference, and what has none."""

    def __init__(self, settings: Settings, today: date) -> None:
        self.settings = settings
        self.today = today
        self.conflicts: list[Conflict] = []

    def price(self, key: str, reference: str, request: Request) -> ApiPrice | None:
        terms = self.settings.api.terms.get(reference)
        try:
            return compared_price(
                reference, request, self.today, NO_TERMS if terms is None else terms_of(terms)
            )
        except UnknownApiModelError as error:
            near = "See the list in genai-prices"
            if error.near:
                near = f"Closest: {', '.join(error.near)}"
            found = f'no price is known for "{reference}"'
            self.conflicts.append(Conflict(key, found, near, price=True))
            return None


def _request(settings: Settings, load: Load) -> Request:
    api = settings.api
    written = round(load.input_tokens * float(api.cache_write_percent) / 100)
    return Request(
        input_tokens=load.input_tokens,
        cached_input_tokens=load.cached_input_tokens,
        cache_write_tokens=min(written, load.input_tokens - load.cached_input_tokens),
        output_tokens=load.output_tokens,
        batch_share=api.batch_percent / 100,
        longest=settings.model.max_length,
        regions=api.regions,
    )


def terms_of(stated: ApiTerms) -> Terms:
    """Returns what a stack states about an API as terms."""
    units = stated.provisioned
    each = units.tokens_per_minute_per_unit
    return Terms(
        rates=_rates(stated),
        per_request=stated.per_request,
        per_month=stated.per_month or Decimal(0),
        discount=stated.discount_percent / 100,
        cache_write=stated.cache_write,
        batch_input=stated.batch_input,
        batch_output=stated.batch_output,
        units_per_month=units.units * units.unit_price_per_month,
        units_tokens_per_minute=None if each is None else each * units.units,
        commitment_months=units.commitment_months if units.units else 0,
        region=stated.region,
    )


def _rates(stated: ApiTerms) -> TokenRates | None:
    if stated.input is None or stated.output is None:
        if stated.is_flat:
            return TokenRates(input=Decimal(0), cached_input=Decimal(0), output=Decimal(0))
        return None
    return TokenRates(
        input=stated.input,
        cached_input=stated.input if stated.cached_input is None else stated.cached_input,
        output=stated.output,
        cache_write=stated.cache_write,
        batch_input=stated.batch_input,
        batch_output=stated.batch_output,
    )


def _as_good(price: ApiPrice, escalation: Escalation | None, request: Request) -> ApiPrice:
    """Adds what an API answers again: the same model is as good elsewhere as here."""
    if escalation is None:
        return price
    usd = price.usd_per_request + escalation.usd_per_request
    return replace(price, usd_per_request=usd, usd_per_million_tokens=usd * 10**6 / request.tokens)


def _together(parts: Sequence[ApiPart]) -> ApiPrice:
    """Returns several APIs as one, which serves each its share of the requests."""
    if len(parts) == 1:
        return parts[0].price
    first = parts[0].price

    def mean(rates: Sequence[Decimal]) -> Decimal:
        return sum((r * p.share for r, p in zip(rates, parts, strict=True)), Decimal(0))

    return replace(
        first,
        reference=" + ".join(f"{part.price.reference} {part.share:.0%}" for part in parts),
        usd_per_request=mean([part.price.usd_per_request for part in parts]),
        usd_per_million_tokens=mean([part.price.usd_per_million_tokens for part in parts]),
        source="; ".join(dict.fromkeys(part.price.source for part in parts)),
        as_of=min(part.price.as_of for part in parts),
        max_input_tokens=None,
        findings=tuple(dict.fromkeys(each for part in parts for each in part.price.findings)),
        monthly_fee=sum((part.price.monthly_fee for part in parts), Decimal(0)),
        covered_tokens_per_minute=None,
        parts=tuple(parts),
    )


def _unused_terms(settings: Settings, named: Sequence[str]) -> Iterator[Conflict]:
    for reference in settings.api.terms:
        if reference not in named:
            near = ", ".join(near_names(reference, named)) or ", ".join(filter(None, named))
            yield Conflict(
                f"api.terms.{reference}",
                "neither api.inUse nor an offer of the same model",
                f"Allowed: an API that this stack names; closest: {near}",
                ("api.inUse", "api.hosted", "api.shares"),
            )


def _writing(settings: Settings, references: Iterable[str], today: date) -> Iterator[Conflict]:
    """Yields an API that writes text, where the stack's model only reads.

    APIs that write charge more for output than for input; those that read have no output.
    """
    if settings.model.facts.generates:
        return
    for reference in references:
        if reference in settings.api.terms:
            continue
        try:
            rates = token_rates(reference, input_tokens=1000, output_tokens=1000, on=_at(today))
        except UnknownApiModelError:
            continue  # its output has no price; or nothing of it has, which is said elsewhere
        if rates.output > rates.input:
            yield Conflict(
                "api.inUse",
                f"{reference} writes text, and {settings.model.facts.name} does not",
                "Allowed: an API for the same task, such as openai/text-embedding-3-small",
                ("model.name", "api.shares"),
            )


def _at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _conflicts(settings: Settings) -> Iterator[Conflict]:
    api, cached = settings.api, settings.traffic.cached_input_percent
    if api.cache_write_percent + cached > 100:  # noqa: PLR2004  # percent
        yield Conflict(
            "api.cacheWritePercent",
            f"{api.cache_write_percent} with traffic.cachedInputPercent {cached}",
            f"Allowed: up to {100 - cached}, because cached reads are not written",
            ("traffic.cachedInputPercent",),
        )
    if settings.co_located:
        for reference, terms in api.terms.items():
            if terms.provisioned.units:
                yield Conflict(
                    f"api.terms.{reference}.provisioned.units",
                    f"{terms.provisioned.units}, in a stack of several models",
                    "Allowed in a stack of one model",
                )
