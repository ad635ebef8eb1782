"""The price of a mean request by an offer, judged by every source that knows the offer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from breakeven.catalog.apis.findings import (
    DISPUTED_SHARE,
    ContextTooShort,
    Finding,
    OutsideRegions,
    PriceDisputed,
    Unconfirmed,
    retirement,
)
from breakeven.catalog.apis.offers import (
    ApiOffer,
    find_offers,
    find_provider_region,
    sources_of,
    stated_quantization,
    stated_region,
)
from breakeven.catalog.apis.prices import (
    ApiPrice,
    TokenRates,
    UnknownApiModelError,
    api_price,
    token_rates,
)
from breakeven.catalog.apis.terms import NO_TERMS, Request, Terms

_SHORT_PROMPT = 128_000
"""Input tokens above which providers charge a higher tier, which the second source lacks."""


def compared_price(
    reference: str, request: Request, today: date, terms: Terms = NO_TERMS
) -> ApiPrice:
    """Returns the cost of a mean request at an offer, and the findings against the offer.

    The list price is that of genai-prices; that of the second source where only it lists the offer,
    or where it is higher by more than `DISPUTED_SHARE`: a saving must hold at the higher price.

    Args:
        reference: "provider/model".
        request: The mean request.
        today: Day on which prices and retirement dates are looked up.
        terms: The user's own.

    Raises:
        UnknownApiModelError: No source has a price for it, and the terms state none.
    """
    offers = find_offers(reference)
    if terms.is_contract:
        price = _contracted(terms, reference, request, today)
    else:
        listed = _list_price(reference, offers, _at_list_price(request, terms), today)
        price = _on_terms(listed, terms, request, today)
    price = replace(
        price,
        monthly_fee=terms.monthly_fee,
        covered_tokens_per_minute=_covered(terms),
        commitment_months=terms.commitment_months,
        region=terms.region,
    )
    return _judged(price, offers, request, today)


def _covered(terms: Terms) -> Decimal | None:
    if not terms.has_units:
        return None
    limit = terms.units_tokens_per_minute
    return Decimal("Infinity") if limit is None else limit


def _list_price(
    reference: str, offers: Sequence[ApiOffer], request: Request, today: date
) -> ApiPrice:
    """Returns what the request costs at once, by the sources that know the offer."""
    second = _second(offers)
    try:
        price = _listed(reference, request, today)
    except UnknownApiModelError:
        if second is None:
            raise
        return _priced_by(second, reference, request)
    if second is None or request.input_tokens > _SHORT_PROMPT:
        return price
    return _settled(price, _priced_by(second, reference, request))


def _second(offers: Sequence[ApiOffer]) -> ApiOffer | None:
    priced = [offer for offer in offers if offer.is_priced]
    return max(priced, key=lambda offer: offer.as_of, default=None)


def _at_list_price(request: Request, terms: Terms) -> Request:
    """Returns what of a request is paid at list prices: at once, but for writes priced apart."""
    written = request.cache_write_tokens if terms.cache_write is None else 0
    return replace(request, batch_share=Decimal(0), cache_write_tokens=written)


def _on_terms(price: ApiPrice, terms: Terms, request: Request, today: date) -> ApiPrice:
    """Returns a list price on the user's terms, with the share that goes by batch API."""
    kept = 1 - terms.discount
    usd, rates = price.usd_per_request * kept, price.rates
    if terms.discount or (terms.cache_write is not None and request.cache_write_tokens):
        rates = _discounted(price.rates or _token_rates(price, request, today), kept)
        if terms.cache_write is not None:
            usd += (terms.cache_write - rates.input) * request.cache_write_tokens / 10**6
    batch = _batch_rates(price, terms, kept)
    usd = usd if batch is None else request.with_batch(usd, batch)
    if usd == price.usd_per_request:
        return price
    source = price.source
    if terms.discount:
        source += f", {(terms.discount * 100).normalize():f}% discount (api.terms)"
    return _costing(replace(price, source=source, rates=rates), usd, request)


def _token_rates(price: ApiPrice, request: Request, today: date) -> TokenRates:
    return token_rates(
        price.reference,
        input_tokens=request.input_tokens,
        output_tokens=request.output_tokens,
        on=datetime(today.year, today.month, today.day, tzinfo=UTC),
    )


def _discounted(rates: TokenRates, kept: Decimal) -> TokenRates:
    return TokenRates(
        input=rates.input * kept,
        cached_input=rates.cached_input * kept,
        output=rates.output * kept,
    )


def _batch_rates(price: ApiPrice, terms: Terms, kept: Decimal) -> TokenRates | None:
    """Returns the prices of a batch: the user's, or the list's on the user's terms."""
    if terms.batch_input is not None and terms.batch_output is not None:
        return replace(_NO_RATES, batch_input=terms.batch_input, batch_output=terms.batch_output)
    second = _second(find_offers(price.reference))
    if second is None or second.batch_input is None or second.batch_output is None:
        return None
    return replace(
        _NO_RATES,
        batch_input=second.batch_input * kept,
        batch_output=second.batch_output * kept,
    )


_NO_RATES = TokenRates(input=Decimal(0), cached_input=Decimal(0), output=Decimal(0))


def _costing(price: ApiPrice, usd: Decimal, request: Request) -> ApiPrice:
    return replace(
        price,
        usd_per_request=usd,
        usd_per_million_tokens=usd * 10**6 / request.tokens,
    )


def _contracted(terms: Terms, reference: str, request: Request, today: date) -> ApiPrice:
    rates, usd = terms.rates, terms.per_request
    if rates is None:
        usd = usd or Decimal(0)
        # The cost of a token is only shown, as one price for all tokens.
        each = usd * 10**6 / request.tokens
        rates = TokenRates(input=each, cached_input=each, output=each)
    else:
        usd = request.usd(rates)
    price = ApiPrice(
        reference=reference,
        usd_per_request=usd,
        usd_per_million_tokens=Decimal(0),
        source=f"stack setting api.terms.{reference}",
        as_of=today,
        rates=rates,
        is_contract=True,
    )
    return _costing(price, usd, request)


def _judged(price: ApiPrice, offers: Sequence[ApiOffer], request: Request, today: date) -> ApiPrice:
    """Adds what the sources say about the offer, and what speaks against it."""
    provider, _, model = price.reference.partition("/")
    price = replace(
        price,
        max_input_tokens=_shortest(price, offers),
        quantization=next((o.quantization for o in offers if o.quantization), "")
        or stated_quantization(model),
        region=price.region or _region(provider, model, offers),
    )
    found = _findings(price, provider, offers, request, today)
    return replace(price, findings=(*price.findings, *found))


def _listed(reference: str, request: Request, today: date) -> ApiPrice:
    return api_price(
        reference,
        input_tokens=request.input_tokens,
        output_tokens=request.output_tokens,
        cached_input_tokens=request.cached_input_tokens,
        cache_write_tokens=request.cache_write_tokens,
        on=datetime(today.year, today.month, today.day, tzinfo=UTC),
    )


def _priced_by(offer: ApiOffer, reference: str, request: Request) -> ApiPrice:
    price = ApiPrice(
        reference=reference,
        usd_per_request=Decimal(0),
        usd_per_million_tokens=Decimal(0),
        source=offer.source,
        as_of=offer.as_of,
        rates=offer.rates,
    )
    return _costing(price, request.usd(offer.rates), request)


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
