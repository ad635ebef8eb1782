"""The estimate's figures, to be compared with observations."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedApi:
    """An API and its price.

    Attributes:
        reference: "provider/model".
        same_model: Whether it is the open model that this stack serves.
        per_million_tokens: USD per 1M tokens of the planned mix.
    """

    reference: str
    same_model: bool
    per_million_tokens: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCost:
    """The estimate's figures of one model, including its share of shared costs.

    Attributes:
        monthly: USD a month, everything counted.
        per_million_tokens: USD per 1M tokens, including idle hours.
        tokens_per_day: Input and output tokens of a mean day.
        busy_share: Share of the paid capacity that the planned load uses, 0 to 1.
        mean_nodes: Paid GPU nodes, averaged over time.
        replica_tokens_per_second: Throughput of a full replica.
        replica_tokens_low: Lower end of the band of that; None where no measurement is known.
        full_requests: Requests in flight of a replica that is full.
        measured_by: The user's own measurement that it comes from: a record or a setting; empty
            where it is estimated.
        replicas_per_node: Whole replicas that fill a node.
        fixed_nodes: Nodes of a pool of fixed size, paid whether busy or not; None elsewhere. The
            model's share of them where several use them.
        fixed_hour: USD an hour without any GPU node: people, contingency and planned overflow are
            in it. None, as
            `node_hour`, where a private price is in the bill: whoever may ask Prometheus would
            read it.
        node_hour: USD per hour of one more GPU node.
        hours_per_month: Hours of the month that `monthly` and a budget are meant for.
        overflow_share: Share of requests that the gateway sends to the API, 0 to 1.
        overflow_monthly: Their cost at the API, in USD a month.
        budget: USD a month that all models may spend, of the first one; None for no budget.
        apis: The API in use, then offers of the same model, cheapest first.
        candidate_hour: USD per hour that a candidate's trial adds; None without one, or if it
            includes a private price.
        candidate_per_million_tokens: USD per 1M tokens once it is promoted; None without one.
    """

    monthly: Decimal
    per_million_tokens: Decimal
    tokens_per_day: int
    busy_share: float
    mean_nodes: float
    replica_tokens_per_second: float
    replica_tokens_low: float | None
    full_requests: int
    measured_by: str
    replicas_per_node: int
    fixed_nodes: float | None
    fixed_hour: Decimal | None
    node_hour: Decimal | None
    hours_per_month: Decimal
    overflow_share: float
    overflow_monthly: Decimal
    budget: Decimal | None
    apis: tuple[PlannedApi, ...]
    candidate_hour: Decimal | None = None
    candidate_per_million_tokens: Decimal | None = None
