"""The price of a mean request by an offer, judged by every source that knows the offer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from breakeven.catalog.api_findings import (
    DISPUTED_SHARE,
    ContextTooShort,
    Finding,
    OutsideRegions,
    PriceDisputed,
    Unconfirmed,
    retirement,
)
from breakeven.catalog.api_offers import (
    ApiOffer,
    find_offers,
    find_provider_region,
    sources_of,
    stated_quantization,
    stated_region,
)
from breakeven.catalog.api_prices import ApiPrice, UnknownApiModelError, api_price

_SHORT_PROMPT = 128_000
"""Input tokens above which providers charge a higher tier, which the second source lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractPrice:
    """A user's own price. USD per 1M tokens.

    Attributes:
        input: Input tokens.
        cached_input: Input tokens read from the provider's cache.
        output: Output tokens.
    """

    input: Decimal
    cached_input: Decimal
    output: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The mean request of a stack, and what its offers have to allow.

    Attributes:
        input_tokens: Cached tokens included, 1 or more.
        cached_input_tokens: Those of them that a provider's cache holds.
        output_tokens: 1 or more.
        longest: Tokens of the longest request that the stack serves.
        regions: Where requests may be processed; empty for anywhere.
    """

    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    longest: int
    regions: tuple[str, ...] = ()


def compared_price(
    reference: str, request: Request, today: date, contract: ContractPrice | None = None
) -> ApiPrice:
    """Returns what a mean request costs by an offer, and what speaks against the offer.

    The price is that of genai-prices; that of the second source where only it lists the offer, or
    where it is higher by more than `DISPUTED_SHARE`: a saving must hold at the higher price.

    Args:
        reference: "provider/model".
        request: The mean request.
        today: Day on which prices and retirement dates are looked up.
        contract: The user's own price, which stands for any list price.

    Raises:
        UnknownApiModelError: No source has a price for it.
    """
    offers = find_offers(reference)
    if contract is not None:
        price = _contracted(contract, reference, request, today)
        return _judged(price, offers, request, today)
    priced = [offer for offer in offers if offer.is_priced]
    second = max(priced, key=lambda offer: offer.as_of, default=None)
    try:
        price = _listed(reference, request, today)
    except UnknownApiModelError:
        if second is None:
            raise
        price = _priced_by(second, reference, request)
    else:
        if second is not None and request.input_tokens <= _SHORT_PROMPT:
            price = _settled(price, _priced_by(second, reference, request))
    return _judged(price, offers, request, today)


def _contracted(contract: ContractPrice, reference: str, request: Request, today: date) -> ApiPrice:
    offer = ApiOffer(
        provider="",
        model=reference,
        input=contract.input,
        cached_read=contract.cached_input,
        output=contract.output,
        source=f"stack setting api.terms.{reference}",
        as_of=today,
    )
    return replace(_priced_by(offer, reference, request), is_contract=True)


def _judged(price: ApiPrice, offers: Sequence[ApiOffer], request: Request, today: date) -> ApiPrice:
    """Adds what the sources say about the offer, and what speaks against it."""
    provider, _, model = price.reference.partition("/")
    price = replace(
        price,
        max_input_tokens=_shortest(price, offers),
        quantization=next((o.quantization for o in offers if o.quantization), "")
        or stated_quantization(model),
        region=_region(provider, model, offers),
    )
    found = _findings(price, provider, offers, request, today)
    return replace(price, findings=(*price.findings, *found))


def _listed(reference: str, request: Request, today: date) -> ApiPrice:
    return api_price(
        reference,
        input_tokens=request.input_tokens,
        output_tokens=request.output_tokens,
        cached_input_tokens=request.cached_input_tokens,
        on=datetime(today.year, today.month, today.day, tzinfo=UTC),
    )


def _priced_by(offer: ApiOffer, reference: str, request: Request) -> ApiPrice:
    usd = offer.usd_per_request(
        input_tokens=request.input_tokens,
        cached_input_tokens=request.cached_input_tokens,
        output_tokens=request.output_tokens,
    )
    return ApiPrice(
        reference=reference,
        usd_per_request=usd,
        usd_per_million_tokens=usd * 10**6 / (request.input_tokens + request.output_tokens),
        source=offer.source,
        as_of=offer.as_of,
        rates=offer.rates,
    )


def _settled(first: ApiPrice, second: ApiPrice) -> ApiPrice:
    """Returns the first price, or the higher of both where they differ too much."""
    lower, higher = sorted((first, second), key=lambda price: price.usd_per_request)
    if higher.usd_per_request <= lower.usd_per_request * (1 + DISPUTED_SHARE):
        return first
    dispute = PriceDisputed(
        lower.usd_per_million_tokens,
        lower.source,
        higher.usd_per_million_tokens,
        higher.source,
    )
    return replace(
        first,
        usd_per_request=higher.usd_per_request,
        usd_per_million_tokens=higher.usd_per_million_tokens,
        source=higher.source,
        as_of=higher.as_of,
        rates=higher.rates,
        findings=(*first.findings, dispute),
    )


def _shortest(price: ApiPrice, offers: Sequence[ApiOffer]) -> int | None:
    limits = (price.max_input_tokens, *(offer.max_input_tokens for offer in offers))
    return min((limit for limit in limits if limit), default=None)


def _region(provider: str, model: str, offers: Sequence[ApiOffer]) -> str:
    stated = next((offer.region for offer in offers if offer.region), "") or stated_region(model)
    everywhere = find_provider_region(provider)
    if stated or everywhere is None:
        return stated
    return everywhere.region


def _findings(
    price: ApiPrice,
    provider: str,
    offers: Sequence[ApiOffer],
    request: Request,
    today: date,
) -> Iterator[Finding]:
    dated = [offer for offer in offers if offer.retires]
    if dated:
        first = min(dated, key=lambda offer: offer.retires or today)
        yield from retirement(first.retires, first.source, today)
    if price.max_input_tokens is not None and price.max_input_tokens < request.longest:
        yield ContextTooShort(price.max_input_tokens, request.longest, price.source)
    if request.regions and price.region not in request.regions:
        yield OutsideRegions(price.region, request.regions)
    if not offers and not price.is_contract:
        for source, as_of in sorted(sources_of(provider))[:1]:
            yield Unconfirmed(source, as_of)
