"""Answers of `diff`, `recommend`, `sensitivity`, `simulate`, and `estimate` of several stacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from breakeven.cli.documents.base import Document, OptionalMoney, StackName
from breakeven.reports.document.values import (
    Amount,
    AtLeastOne,
    Count,
    Money,
    Name,
    Part,
    Quantity,
    Share,
)


class StackSum(Part):
    """One of several stacks."""

    stack: StackName
    tokens_per_day: Count = Field(description="Input and output tokens of a mean day.")
    self_hosted: Money = Field(description="Self-hosting, in USD monthly.")
    api: Money = Field(description="The same traffic by the API in use, in USD monthly.")
    recommended: Money = Field(description="What is recommended, in USD monthly.")
    choice: Name = Field(description="What is recommended: self-host, api, hosted or hybrid.")


class SeveralStacksDocument(Document):
    """What several stacks cost together: `breakeven estimate STACK STACK`."""

    currency: Literal["USD"] = Field(description="Currency of all money.")
    stacks: Sequence[StackSum] = Field(description="Each stack.")
    self_hosted: Money = Field(description="Sum of self-hosting, in USD monthly.")
    api: Money = Field(description="Sum of the APIs in use, in USD monthly.")
    recommended: Money = Field(description="Sum of what is recommended, in USD monthly.")


class ChangePart(Part):
    """An amount before and after a change."""

    name: Name = Field(description="What it is.")
    change: Literal["added", "removed", "changed", "unchanged"] = Field(
        description="What happened to it."
    )
    before: OptionalMoney = Field(description="USD monthly before; null where it was not there.")
    after: OptionalMoney = Field(description="USD monthly now; null where it is not there.")
    difference: Money = Field(description="Now less before, in USD monthly.")
    percent: Amount | None = Field(description="The same in percent; null where nothing was.")


class RateChange(Part):
    """A price before and after a change."""

    before: Amount = Field(description="USD before.")
    after: Amount = Field(description="USD now.")


class BreakEvenChange(Part):
    """A break-even volume before and after a change."""

    against: Name = Field(description="API that it is against.")
    before: Count | None = Field(description="Tokens per day before; null for never.")
    after: Count | None = Field(description="Tokens per day now; null for never.")


class AdviceChange(Part):
    """The recommendation before and after a change."""

    before: Name = Field(description="What was recommended.")
    after: Name = Field(description="What is recommended now.")
    changed: bool = Field(description="Whether they differ.")
    summary: Name = Field(description="The recommendation now, in a sentence.")


class DiffPart(Part):
    """What a change does to the bill."""

    before: Name = Field(description="What is compared with.")
    after: Name = Field(description="What is compared.")
    lines: Sequence[ChangePart] = Field(description="Line items.")
    totals: Sequence[ChangePart] = Field(description="Infrastructure, staffing, and total.")
    per_million_tokens: RateChange = Field(description="Cost per 1M tokens.")
    apis: Sequence[ChangePart] = Field(description="The same traffic by API.")
    break_even: Sequence[BreakEvenChange] = Field(description="Break-even volumes by API.")
    recommendation: AdviceChange = Field(description="What is recommended.")


class DiffDocument(DiffPart, Document):
    """What a change of a stack file does to the bill: `breakeven diff`."""


class Weighed(Part):
    """How many configurations were looked at, and why engines were left out."""

    configurations: Count = Field(description="Configurations that were priced.")
    need_too_many_gpus: Count = Field(description="Left out: more GPUs than allowed.")
    engines_with_too_little_memory: Count = Field(description="Left out: the model does not fit.")
    engines_without_kernels: Count = Field(description="Left out: no kernels for the precision.")
    engines_missing_first_token: Count = Field(description="Left out: the first token is too late.")
    engines_missing_inter_token: Count = Field(description="Left out: tokens come too slowly.")


class ConfigurationPart(Part):
    """One configuration."""

    machine: Name = Field(description="Machine type.")
    gpu: Name = Field(description="GPU.")
    gpus_per_node: AtLeastOne = Field(description="GPUs of a node.")
    purchase: Name = Field(description="How the nodes are bought.")
    precision: Name = Field(description="Precision of the weights.")
    tensor_parallel: AtLeastOne = Field(description="GPUs of a replica.")
    operation: Name = Field(description="Fixed, autoscaled, or hybrid with an API.")
    requests_in_flight: AtLeastOne = Field(description="Of a full replica.")
    peak_replicas: Count = Field(description="Most replicas of the week.")
    peak_nodes: Count = Field(description="Most nodes of the week.")
    mean_nodes: Quantity = Field(description="Nodes that are paid, on average.")
    busy_share: Quantity = Field(description="Share of the paid capacity that is used.")
    own_share: Share = Field(description="Requests that own replicas serve.")
    objective_share: Share | None = Field(
        description="Requests whose first token is in time; null where the week was not simulated."
    )
    inter_token_milliseconds: Quantity = Field(description="Between tokens, mean.")
    inter_token_p95_milliseconds: Quantity = Field(
        alias="interTokenP95Milliseconds", description="Between tokens, 95th percentile."
    )
    prefill_milliseconds: Quantity = Field(description="To the first token, with nothing else.")
    first_token_p95_milliseconds: Quantity = Field(
        alias="firstTokenP95Milliseconds", description="To the first token, 95th percentile."
    )
    capacity_error_percent: Quantity | None = Field(
        description="Half width of the capacity's band; null where nothing was measured."
    )
    monthly: Money = Field(description="Everything, in USD monthly.")
    overflow_by_api: Money = Field(
        alias="overflowByApi", description="Part of it that an API takes."
    )
    per_million_tokens: Amount = Field(description="Cost per 1M tokens, in USD.")


class RankedApi(Part):
    """The same traffic by an API."""

    api: Name = Field(description="Provider and model.")
    same_model: bool = Field(description="Whether it is the stack's open model.")
    monthly: Money = Field(description="USD monthly.")
    per_million_tokens: Amount = Field(description="USD per 1M tokens.")
    decides: bool = Field(description="Whether it counts for the recommendation.")
    findings: Sequence[str] = Field(description="What speaks against it.")


class ConstraintPart(Part):
    """What keeping a constraint costs."""

    constraint: Name = Field(description="What must hold.")
    imposed: bool = Field(description="Whether it was asked for.")
    cheapest_with: OptionalMoney = Field(description="Cheapest that keeps it; null for none.")
    cheapest_without: OptionalMoney = Field(description="Cheapest without it; null for none.")
    price: OptionalMoney = Field(description="The difference; null where one is missing.")


class RecommendDocument(Document):
    """The cheapest configurations for a stack's traffic: `breakeven recommend`."""

    stack: StackName
    currency: Literal["USD"] = Field(description="Currency of all money.")
    month: Name = Field(description="How long a month is.")
    tokens_per_day: Count = Field(description="Input and output tokens of a mean day.")
    recommendation: Name = Field(description="self-host, api, hosted or hybrid.")
    summary: Sequence[str] | str = Field(description="Why, in sentences.")
    monthly_if_slower: Money = Field(description="If replicas serve as little as the band allows.")
    as_it_stands: Money = Field(description="The stack as it is, in USD monthly.")
    weighed: Weighed = Field(description="What was looked at.")
    configurations: Sequence[ConfigurationPart] = Field(description="The cheapest ones.")
    api: Sequence[RankedApi] = Field(description="The same traffic by APIs.")
    constraints: Sequence[ConstraintPart] = Field(description="What each constraint costs.")
    notes: Sequence[str] = Field(description="What a reader has to know.")


class MoneyRange(Part):
    """An amount with its percentiles."""

    stated: Money = Field(description="With the stated inputs.")
    p10: Money = Field(description="10th percentile.")
    p50: Money = Field(description="Median.")
    p90: Money = Field(description="90th percentile.")


class RateRange(Part):
    """A price per 1M tokens with its percentiles."""

    stated: Amount = Field(description="With the stated inputs.")
    p10: Amount = Field(description="10th percentile.")
    p50: Amount = Field(description="Median.")
    p90: Amount = Field(description="90th percentile.")


class CrossingRange(Part):
    """A break-even volume with its percentiles; null for never."""

    p10: Quantity | None = Field(description="10th percentile, tokens per day.")
    p50: Quantity | None = Field(description="Median.")
    p90: Quantity | None = Field(description="90th percentile.")


class BarPart(Part):
    """What one input does to the saving."""

    input: Name = Field(description="The input.")
    saving_at_low: Money = Field(description="Saving at its low end, in USD monthly.")
    saving_at_high: Money = Field(description="Saving at its high end.")
    least_saving: Money = Field(description="Least saving in its range.")
    most_saving: Money = Field(description="Most saving in its range.")
    flips_at_percent: float | None = Field(
        description="Value of the input, in percent of what is stated, at which the recommendation "
        "changes; null where it does not."
    )


class AgainstPart(Part):
    """Self-hosting against one API."""

    api: Name = Field(description="The API.")
    saving: MoneyRange = Field(description="What self-hosting saves, in USD monthly.")
    break_even_tokens_per_day: CrossingRange = Field(description="Break-even volume.")
    self_hosting_pays_share: Share = Field(description="Samples in which self-hosting pays.")
    break_even_never_share: Share = Field(description="Samples without a break-even.")
    tornado: Sequence[BarPart] = Field(description="Inputs by their effect, largest first.")


class SensitivityDocument(Document):
    """How sure a verdict is: `breakeven sensitivity`."""

    stack: StackName
    currency: Literal["USD"] = Field(description="Currency of all money.")
    month: Name = Field(description="How long a month is.")
    samples: AtLeastOne = Field(description="How many were drawn.")
    seed: int = Field(description="Random seed.")
    inputs_percent: Mapping[str, Sequence[float]] = Field(
        description="Low and high end of each input, in percent of what is stated."
    )
    total: MoneyRange = Field(description="Monthly cost of self-hosting, in USD.")
    per_million_tokens: RateRange = Field(description="Cost per 1M tokens, in USD.")
    not_priced: Sequence[str] = Field(description="What has no price.")
    fleet_too_small_share: Share = Field(description="Samples in which the fleet is too small.")
    against: Sequence[AgainstPart] = Field(description="Each API.")


class PlannedWeek(Part):
    """The week as the estimate plans it."""

    node_hours: Quantity = Field(description="Hours of nodes that are paid.")
    mean_nodes: Quantity = Field(description="Nodes that are paid, on average.")
    mean_replicas: Quantity = Field(description="Replicas, on average.")
    peak_replicas: Count = Field(description="Most replicas.")
    busy_share: Quantity = Field(description="Share of the paid capacity that is used.")
    idle_share: float = Field(description="The rest.")


class ObjectivePart(Part):
    """The latency objective of the stack."""

    first_token_seconds: Quantity = Field(description="To the first token.")
    share: Share = Field(description="Requests that are to keep it.")


class SimulateDocument(Document):
    """The simulated week of a stack: `breakeven simulate`."""

    stack: StackName
    seed: int = Field(description="Random seed.")
    step_seconds: Quantity = Field(description="Length of a step.")
    simulated: Mapping[str, float] = Field(
        description="Totals of the simulated time, by name; hours are hours of that time."
    )
    planned: PlannedWeek = Field(description="The same, as the estimate plans it.")
    objective: ObjectivePart = Field(description="What requests are to keep.")
    reasons: Sequence[str] = Field(description="Why the two differ.")
    hours: Mapping[str, Sequence[float]] = Field(description="Mean of each hour, by name.")
