"""What a request costs by API, from the prices of genai-prices.

Offline: its prices are those that the package has, or those that `breakeven prices refresh` saved.
It is imported when it is first needed, as that takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from breakeven.catalog.apis.findings import Finding, Retired, excludes
from breakeven.catalog.apis.token_price_file import in_use
from breakeven.suggestions import COUNT, near_names, suggestion

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, PriceCalculation, Provider


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRates:
    """USD per 1M tokens of each kind, exactly as the API charges them.

    Attributes:
        input: Input.
        cached_input: Input read from the provider's cache.
        output: Output.
        cache_write: Input written to that cache; None if it costs as other input.
        batch_input: Input by batch API; None if there is none.
        batch_output: Output by batch API; None if there is none.
    """

    input: Decimal
    cached_input: Decimal
    output: Decimal
    cache_write: Decimal | None = None
    batch_input: Decimal | None = None
    batch_output: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPrice:
    """A mean request, by API.

    Attributes:
        reference: "provider/model" as it was asked for.
        usd_per_request: USD for the whole request.
        usd_per_million_tokens: The same over its input and output tokens, for a million of them.
        source: Package and version, or day of saved prices; and the row used if its name differs.
        as_of: Day of the package's release, or of saved prices.
        max_input_tokens: Longest input; None if unknown.
        quantization: Of the weights, where a source states it; otherwise empty.
        region: Where requests are processed, where a source states it; otherwise empty.
        findings: What speaks against comparing with it.
        rates: Of its tokens, where they are not those that `token_rates` returns.
        is_contract: Whether the stack states the price; `as_of` is then the day of the estimate.
        monthly_fee: USD per month at any volume, beside `usd_per_request`.
        covered_tokens_per_minute: Tokens per minute that the fee pays for, so that only requests
            beyond them cost `usd_per_request`; None if it pays for none.
        commitment_months: For how long provisioned throughput is committed; 0 for none.
        parts: Where several APIs share the requests: each of them, with fees of its own.
    """

    reference: str
    usd_per_request: Decimal
    usd_per_million_tokens: Decimal
    source: str
    as_of: date
    max_input_tokens: int | None = None
    quantization: str = ""
    region: str = ""
    findings: tuple[Finding, ...] = ()
    rates: TokenRates | None = None
    is_contract: bool = False
    monthly_fee: Decimal = Decimal(0)
    covered_tokens_per_minute: Decimal | None = None
    commitment_months: int = 0
    parts: tuple[ApiPart, ...] = ()

    def usd_for_each(self, requests: Decimal) -> Decimal:
        """Returns USD for one of so many requests a month, fees among them.

        Provisioned throughput counts as if it carried all of them or none.
        """
        covered = self.covered_tokens_per_minute
        if self.parts:
            each = (part.share * part.price.usd_for_each(requests) for part in self.parts)
            fees = (part.price.monthly_fee * (1 - part.share) for part in self.parts)
            return sum(each, Decimal(0)) + sum(fees, Decimal(0)) / requests
        beyond = Decimal(0) if covered is not None and not covered.is_finite() else Decimal(1)
        return self.monthly_fee / requests + self.usd_per_request * beyond

    @property
    def decides(self) -> bool:
        """Whether a verdict may rest on it: it is served, takes the requests, and is allowed."""
        return not any(map(excludes, self.findings))


@dataclass(frozen=True, slots=True)
class ApiPart:
    """One of several APIs in use, and its share of the requests, 0 to 1."""

    price: ApiPrice
    share: Decimal


class UnknownApiModelError(LookupError):
    """No price per token is known for such an API model.

    Attributes:
        reference: What was asked for.
        reason: What is wrong with it: its form, its provider, its model, or no price.
        near: Known references that resemble it.
    """

    def __init__(self, reference: str, reason: str, near: tuple[str, ...]) -> None:
        self.reference = reference
        self.reason = reason
        self.near = near
        super().__init__(f'no price for API model "{reference}": {reason}{suggestion(near)}')


def api_price(  # noqa: PLR0913  # tokens by kind
    reference: str,
    *,
    input_tokens: int,
    output_tokens: int,
    cached_input_tokens: int,
    on: datetime,
    cache_write_tokens: int = 0,
) -> ApiPrice:
    """Returns the price of one request, at standard (not batch) rates.

    Call it for a mean request and multiply: with a month's tokens in one call, the tier for long
    contexts would apply to all of them. Cached input is charged as read from the cache.

    Args:
        reference: Provider and model of genai-prices, such as "openai/gpt-4.1-mini".
        input_tokens: Input of the request, including cached tokens, 0 or more.
        output_tokens: Output of the request, 0 or more.
        cached_input_tokens: Input read from the provider's cache, 0 to `input_tokens`.
        on: When the request is made; prices have a history.
        cache_write_tokens: Input written to that cache, which some providers charge more for.

    Raises:
        UnknownApiModelError: The reference has no "/", the provider or the model is not known, or
            the model has no price for the tokens asked for: a free offer is not a comparison.
        ValueError: There are no tokens, or more cached ones than input.
    """
    if input_tokens + output_tokens < 1 or not 0 <= cached_input_tokens <= input_tokens:
        msg = (
            f"{input_tokens:,} input tokens, {cached_input_tokens:,} of them cached, "
            f"{output_tokens:,} output tokens; allowed: 1 or more, cached no more than input"
        )
        raise ValueError(msg)
    provider, model = _split(reference)
    tokens_by_kind = (input_tokens, output_tokens, cached_input_tokens, cache_write_tokens)
    calculation = _calculate(reference, provider, model, tokens_by_kind, on)
    for tokens, usd, kind in (
        (input_tokens, calculation.input_price, "input"),
        (output_tokens, calculation.output_price, "output"),
    ):
        if tokens and not usd:
            raise UnknownApiModelError(reference, f"its {kind} tokens have no price", ())
    usd = calculation.total_price
    return ApiPrice(
        reference=reference,
        usd_per_request=usd,
        usd_per_million_tokens=usd * 1_000_000 / (input_tokens + output_tokens),
        source=_source(provider, model, calculation),
        as_of=in_use().as_of,
        max_input_tokens=calculation.model.context_window,
        findings=(Retired(None, in_use().source),) if calculation.model.deprecated else (),
    )


def token_rates(
    reference: str, *, input_tokens: int, output_tokens: int, on: datetime
) -> TokenRates:
    """Returns the rates of a mean request's tokens, at standard rates.

    Args:
        reference: Provider and model, as for `api_price`.
        input_tokens: Input of the request, 1 or more; it decides the tier of long contexts.
        output_tokens: Output of the request, 0 or more; with 0 its output costs nothing.
        on: When the request is made.

    Raises:
        UnknownApiModelError: As for `api_price`.
    """
    whole = api_price(
        reference,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_input_tokens=0,
        on=on,
    )
    provider, model = _split(reference)
    plain = _calculate(whole.reference, provider, model, (input_tokens, output_tokens, 0, 0), on)
    cached = _calculate(
        whole.reference, provider, model, (input_tokens, output_tokens, input_tokens, 0), on
    )
    return TokenRates(
        input=plain.input_price * 1_000_000 / input_tokens,
        cached_input=cached.input_price * 1_000_000 / input_tokens,
        output=plain.output_price * 1_000_000 / max(output_tokens, 1),
    )


def _split(reference: str) -> tuple[Provider, str]:
    providers = in_use().providers()
    provider_id, slash, model = reference.partition("/")
    if not (provider_id and slash and model):
        near = tuple(_offers(providers, reference))[:COUNT]
        raise UnknownApiModelError(reference, 'not of the form "provider/model"', near)
    # The package also matches parts of a provider's name; here a typo must not change providers.
    for provider in providers:
        if provider.id == provider_id:
            return provider, model
    offers = tuple(_offers(providers, model))
    near = near_names(reference, offers) or offers
    reason = f'genai-prices knows no provider "{provider_id}"'
    raise UnknownApiModelError(reference, reason, near[:COUNT])


def _calculate(
    reference: str,
    provider: Provider,
    model: str,
    tokens: tuple[int, int, int, int],
    on: datetime,
) -> PriceCalculation:
    from genai_prices import Usage, calc_price  # noqa: PLC0415  # see the module's docstring

    input_tokens, output_tokens, cached_input_tokens, cache_write_tokens = tokens
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=cached_input_tokens,
        cache_write_tokens=cache_write_tokens,
    )
    try:
        return calc_price(usage, model, provider_id=provider.id, genai_request_timestamp=on)
    except LookupError:
        reason = f'genai-prices knows no model "{model}" of {provider.id}'
        near = tuple(f"{provider.id}/{name}" for name in near_names(model, _names(provider)))
        raise UnknownApiModelError(reference, reason, near) from None


def _source(provider: Provider, model: str, calculation: PriceCalculation) -> str:
    source = in_use().source
    row: ModelInfo = calculation.model
    if not any(row is own for own in provider.models):
        source += f", priced as {row.id} of the model's maker"
    elif row.id.lower() != model.lower() and not model.lower().endswith(f"/{row.id.lower()}"):
        source += f", row {row.id}"
    return source


def _names(provider: Provider) -> Iterator[str]:
    # A row's id is not always a name that finds it; where it is not, the name it equals is.
    for row in provider.models:
        name = row.id if row.is_match(row.id) else getattr(row.match, "equals", None)
        if name and ":free" not in name:
            yield name


def _offers(providers: list[Provider], model: str) -> Iterator[str]:
    for provider in providers:
        if any(row.is_match(model) for row in provider.models):
            yield f"{provider.id}/{model}"
