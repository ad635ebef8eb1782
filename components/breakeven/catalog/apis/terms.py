"""A mean request and the user's terms with an API, which together determine its price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from breakeven.catalog.apis.prices import TokenRates


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The mean request of a stack, and requirements for its offers.

    Attributes:
        input_tokens: Cached and written tokens included, 1 or more.
        cached_input_tokens: Input tokens in a provider's cache.
        cache_write_tokens: Those that the provider writes to its cache.
        output_tokens: 1 or more.
        batch_share: Requests that can wait for a batch API, 0 to 1.
        longest: Tokens of the longest request that the stack serves.
        regions: Where requests may be processed; empty for anywhere.
    """

    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    longest: int
    cache_write_tokens: int = 0
    batch_share: Decimal = Decimal(0)
    regions: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens

    def usd(self, rates: TokenRates) -> Decimal:
        """Returns USD for it at these rates, batch share included."""
        plain = self.input_tokens - self.cached_input_tokens - self.cache_write_tokens
        write = rates.input if rates.cache_write is None else rates.cache_write
        at_once = (
            rates.input * plain
            + rates.cached_input * self.cached_input_tokens
            + write * self.cache_write_tokens
            + rates.output * self.output_tokens
        ) / 10**6
        return self.with_batch(at_once, rates)

    def with_batch(self, at_once: Decimal, rates: TokenRates) -> Decimal:
        """Returns USD for it where its batch share is paid at the batch rates, if there are any.

        No cached rate is assumed there: OpenAI's batch table has none, and others do not say.

        Args:
            at_once: USD where it does not wait.
            rates: With the batch rates.
        """
        if rates.batch_input is None or rates.batch_output is None:
            return at_once
        waiting = (
            rates.batch_input * self.input_tokens + rates.batch_output * self.output_tokens
        ) / 10**6
        return at_once * (1 - self.batch_share) + waiting * self.batch_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A user's own terms. USD; prices of tokens per 1M.

    Attributes:
        rates: In place of list prices; None for list prices.
        per_request: In place of prices by the token; None if they hold.
        per_month: Paid at any volume, for access or a commitment.
        discount: On list prices, 0 to 1.
        cache_write: In place of the list price; None for that.
        batch_input: In place of the list price; None for that.
        batch_output: In place of the list price; None for that.
        units_per_month: What provisioned units cost together; 0 for none.
        units_tokens_per_minute: What they serve together; None if they serve everything.
        commitment_months: Of the units.
        region: Where requests are processed by contract; empty for what the sources say.
    """

    rates: TokenRates | None = None
    per_request: Decimal | None = None
    per_month: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    cache_write: Decimal | None = None
    batch_input: Decimal | None = None
    batch_output: Decimal | None = None
    units_per_month: Decimal = Decimal(0)
    units_tokens_per_minute: Decimal | None = None
    commitment_months: int = 0
    region: str = ""

    @property
    def has_units(self) -> bool:
        """Whether there is provisioned throughput."""
        return self.commitment_months > 0

    @property
    def is_contract(self) -> bool:
        """Whether the terms do not need a list price."""
        return self.rates is not None or self.per_request is not None

    @property
    def monthly_fee(self) -> Decimal:
        """USD per month at any volume."""
        return self.per_month + self.units_per_month


NO_TERMS = Terms()
"""Those of the price list."""
