"""The parts of the JSON form of a report.

Classes whose names end in Core hold what a comparison needs. They change less than the rest, so
that a report which an earlier version saved can still be compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from breakeven.reports.document.values import (
    Amount,
    Api,
    AtLeastOne,
    Count,
    Day,
    Money,
    Name,
    Part,
    Quantity,
    Share,
)


class LineItemCore(Part):
    """What a comparison needs of a line item."""

    item: Name = Field(description="What is paid for.")
    monthly: Money | None = Field(
        description="Quantity times unit price, in USD; null where the price is private, which "
        "the total includes."
    )


class LineItemPart(LineItemCore):
    """One line item of the self-hosted bill."""

    key: Name = Field(
        description="What it is, the same from month to month: kind, resource, volume and model."
    )
    identifier: Name = Field(
        description="Of the price: its identifier in the price book, or the setting that states it."
    )
    quantity: Amount = Field(description="How much of it per month.")
    unit: Name = Field(description="Unit of the quantity, such as node-hour.")
    unit_price: Amount | None = Field(
        description="USD for one unit; null where the price is private."
    )
    source: Name = Field(description="Where the price comes from.")
    as_of: Day | None = Field(
        description="Day of the price; null for a figure that the stack states."
    )
    confidence: Literal["list", "measured", "estimate", "user"] = Field(
        description="Whether the price is from a price list, a measurement, an estimate or the "
        "user."
    )


class NotPricedPart(Part):
    """Something whose price is not known; it is not in the total."""

    name: str = Field(description='Name of the resource, or "cluster".')
    type: str = Field(description="Type of the resource, or the price that is missing.")
    reason: str = Field(description="Why it has no price, and what to do.")


class SelfHostedCore(Part):
    """What a comparison needs of the self-hosted bill."""

    total: Money = Field(description="Infrastructure, staffing and contingency, in USD monthly.")
    per_million_tokens: Amount = Field(
        description="Total per 1M tokens served, in USD; idle hours are paid too."
    )
    machines: Money = Field(description="Infrastructure: all line items but those of staffing.")
    people: Money = Field(description="Staffing: engineers and on-call.")
    contingency: Money = Field(description="Reserve on top of infrastructure and staffing.")
    lines: Sequence[LineItemCore] = Field(description="The bill: infrastructure, then staffing.")


class SelfHostedPart(SelfHostedCore):
    """The self-hosted bill, with the figures behind it."""

    lines: Sequence[LineItemPart] = Field(description="The bill: infrastructure, then staffing.")
    per_million_own_tokens: Amount | None = Field(
        description="USD per 1M tokens that own replicas serve, without what the gateway sends "
        "to an API; the gateway charges it. Null where they serve none."
    )
    overflow_by_api: Money = Field(
        description="Part of the infrastructure that the API charges for requests which the "
        "stack's gateway sends there."
    )
    not_priced: Sequence[NotPricedPart] = Field(description="What has no known price.")
    without_charge: Count = Field(description="How many resources are free.")
    busy_share: Share = Field(description="Share of the paid GPU time that works.")
    unserved_share: Share = Field(
        description="Share of the requests that the configured fleet cannot serve."
    )
    mean_nodes: Quantity = Field(description="GPU nodes paid, averaged over time.")
    peak_replicas: AtLeastOne = Field(description="Most replicas of any hour.")


class SimulatedPart(Part):
    """The week of the stack, simulated in steps of the autoscaler's polling."""

    first_token_seconds: float = Field(
        gt=0, description="The objective, in seconds to the first token."
    )
    objective_share: Share = Field(description="Requests whose first token comes within it.")
    mean_queueing_seconds: Quantity = Field(description="Waiting for a slot, over all requests.")
    cold_share: Share = Field(description="Requests that come while no replica is ready.")
    overflow_share: Share = Field(
        description="Requests that the stack's gateway sends to the API in use."
    )
    most_replicas: Count = Field(description="Most replicas that the autoscaler asked for.")


class StaffingGuidancePart(Part):
    """How much of an engineer this project assumes for the fleet, in percent of one."""

    stated_percent: Amount = Field(description="What the stack states.")
    low_percent: Amount = Field(description="The least that is assumed.")
    high_percent: Amount = Field(description="The most that is assumed.")
    nodes: Count = Field(description="GPU nodes at peak that it is about.")
    outside: Literal["below", "above"] | None = Field(description="Null for within.")


class StartsPart(Part):
    """Nodes and replicas that start in a month, and what that costs."""

    nodes: Amount = Field(description="Nodes that start in a month.")
    replicas: Amount = Field(description="Replicas that start in a month.")
    monthly: Money = Field(
        description="Part of the infrastructure that grows with starts: images and weights."
    )


class OutlookPart(Part):
    """What is paid once, and what some years cost, as the stack states them."""

    one_off: Money = Field(description="USD paid once for self-hosting.")
    payback_months: AtLeastOne | None = Field(
        description="Months after which savings against the API in use have paid it; null for "
        "never within ten years, and where nothing is paid once."
    )
    horizon_years: Count = Field(description="Years that are compared; 0 for none.")
    api_price_change_percent: Amount = Field(description="Assumed change of API prices per year.")
    residual_value: Money = Field(description="USD that is left at the end of those years.")
    self_hosted: Money = Field(description="Self-hosting over those years, in USD.")
    api: Money = Field(description="The API in use over those years, in USD.")


class AvailabilityOptionPart(Part):
    """One way to be available."""

    kind: Literal["as-configured", "spare-replica", "second-zone", "fallback-api", "on-call"] = (
        Field(description="Which.")
    )
    expected_percent: Amount | None = Field(
        description="Share of the time in which a replica answers; null where an API or people do."
    )
    monthly: Money | None = Field(description="What it adds to the bill; null for unknown.")


class AvailabilityPart(Part):
    """What an availability objective costs."""

    target_percent: Amount = Field(description="The objective.")
    nodes: Count = Field(description="Nodes that run at all hours.")
    node_failures_per_year: Quantity = Field(description="Assumed for one node.")
    recovery_hours: Quantity = Field(description="Until a replica answers again.")
    options: Sequence[AvailabilityOptionPart] = Field(
        min_length=2, description="The stack as configured first."
    )


class ShownCurrencyPart(Part):
    """The main figures in the currency that tables show, by a rate of a day."""

    code: Annotated[str, Field(pattern="^[A-Z]{3}$")] = Field(description="Its code of ISO 4217.")
    per_usd: Amount = Field(description="How much of it one USD is.")
    as_of: Day = Field(description="Day of the rate.")
    self_hosted: Money = Field(description="Monthly cost of the stack as configured.")
    per_million_tokens: Amount = Field(description="Its cost per 1M tokens.")
    api: Money = Field(description="Monthly cost of the API in use.")
    recommended: Money = Field(description="Monthly cost of the recommended option.")


class ModelPart(Part):
    """One model of the stack."""

    model: str = Field(description="Its name.")
    tokens_per_day: AtLeastOne = Field(description="Input and output tokens of a mean day.")
    own: Money = Field(description="What exists for this model alone, contingency included.")
    total: Money = Field(
        description="The same with its share of what all models share; the models' totals add "
        "up to the stack's, except for rounding."
    )
    per_million_tokens: Amount = Field(description="USD per 1M of its tokens, fully loaded.")
    busy_share: Share = Field(description="Work done over work that its nodes could do.")
    mean_nodes: Quantity = Field(description="GPU nodes that it pays, averaged over time.")
    peak_replicas: Count = Field(description="Most replicas that an hour's peak minute asks for.")
    api_in_use: Api = Field(description="The API that serves its traffic now.")
    api_monthly: Money = Field(description="Its traffic by that API.")
    hosted: str | None = Field(
        description="The cheapest offer of the same open model; null where none is known."
    )
    hosted_monthly: Money | None = Field(
        description="Its traffic by that offer; null where none is known."
    )


class ApiCore(Part):
    """What a comparison needs of an API."""

    api: Api = Field(description="Provider and model, as genai-prices names them.")
    monthly: Money = Field(description="The whole traffic, in USD monthly.")


class ApiPart(ApiCore):
    """The same traffic by one API."""

    same_model: bool = Field(description="Whether it is the open model that the stack serves.")
    per_million_tokens: Amount = Field(
        description="USD per 1M tokens, input and output in the proportion of the load."
    )
    source: Name = Field(description="Package and version of the price.")
    as_of: Day = Field(description="Day of the package's release.")
    decides: bool = Field(
        description="Whether the recommendation may rest on it: it is offered, takes the longest "
        "request of the stack, and processes requests where api.regions allows."
    )
    findings: Sequence[Name] = Field(
        description="What speaks against it: retirement, limits, and sources that disagree."
    )
    max_input_tokens: AtLeastOne | None = Field(description="Longest input; null for unknown.")
    monthly_fee: Money = Field(description="Part of the cost that is paid at any volume.")
    quantization: str = Field(description="Of its weights, where stated; else empty.")
    region: str = Field(description="Where it processes requests, where stated; else empty.")


class BreakEvenCore(Part):
    """What a comparison needs of a break-even volume."""

    against: Api = Field(description="The API.")
    tokens_per_day: Count | None = Field(
        description="Fully loaded; null for never, within the nodes that were tried."
    )


class BreakEvenPart(BreakEvenCore):
    """From which volume self-hosting costs less than one API, in tokens per day."""

    tokens_per_day_machines_only: Count | None = Field(
        description="Infrastructure only, without staffing and contingency."
    )
    tokens_per_day_if_capacity_is_low: Count | None = Field(
        description="Fully loaded, if a replica serves as little as its band allows."
    )
    tokens_per_day_if_capacity_is_high: Count | None = Field(
        description="Fully loaded, if a replica serves as much as its band allows."
    )
    tried_up_to_nodes: AtLeastOne = Field(
        description="GPU nodes of the largest fleet that was tried."
    )
    tried_up_to_tokens_per_day: Count = Field(description="What that fleet carries.")


class ShortfallPart(Part):
    """What the configured fleet does not do, and the one that serves all requests in time."""

    findings: Sequence[Name] = Field(description="What is wrong, and what to set.")
    nodes: AtLeastOne = Field(description="Nodes of that fleet at peak.")
    mean_nodes: Quantity = Field(description="Nodes that it pays, averaged over time.")
    monthly: Money = Field(description="What the stack then costs, in USD monthly.")


class HybridPart(Part):
    """The cheapest split between own GPUs and an API."""

    nodes: AtLeastOne = Field(description="Own nodes that always run.")
    own_share: Share = Field(description="Share of the requests that they serve.")
    monthly: Money = Field(description="Both parts, in USD monthly.")
    own: Money = Field(description="Nodes, staffing and everything that self-hosting needs.")
    api: Money = Field(description="Requests that overflow.")


class RecommendationCore(Part):
    """What a comparison needs of the recommendation."""

    choice: str = Field(
        description="Stay on the API, take the same model hosted by others, self-host, or both."
    )
    summary: Name = Field(description="One sentence: what, at what cost, compared with what.")


class OptionPart(Part):
    """One way to serve all of the traffic within the objectives."""

    choice: Literal["api", "hosted", "self-host", "hybrid"] = Field(description="Its kind.")
    monthly: Money = Field(description="What it costs, in USD monthly.")
    monthly_if_slower: Money = Field(
        description="The same if a replica serves as little as its band allows; options are "
        "compared by it."
    )
    per_million_tokens: Amount = Field(description="USD per 1M tokens.")
    api: str | None = Field(
        description="The API that serves the traffic, or the part of it that own nodes do not; "
        "null for none."
    )


class RecommendationPart(RecommendationCore):
    """The advice, with its cost."""

    choice: Literal["api", "hosted", "self-host", "hybrid"] = Field(
        description="Stay on the API, take the same model hosted by others, self-host, or both."
    )
    monthly: Money = Field(description="What the recommendation costs.")
    reasons: Sequence[Name] = Field(description="Why, in falling weight.")
    options: Sequence[OptionPart] = Field(
        min_length=2, description="Every way to serve the traffic, the recommended one included."
    )


class LeverPart(Part):
    """Settings with which the stack costs less and keeps every objective."""

    kind: Name = Field(description="What they change.")
    settings: Mapping[str, Any] = Field(description="New values by dotted key.")
    monthly: Money = Field(description="What the stack then costs, in USD monthly.")
    saving: Money = Field(description="What it costs less, in USD monthly.")
