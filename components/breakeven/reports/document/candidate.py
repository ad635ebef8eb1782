"""The JSON form of what a candidate costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import Field

from breakeven.cost.bill.candidate import CandidateCost, Outcome
from breakeven.cost.bill.line_item import LineItem
from breakeven.cost.report import Report
from breakeven.reports.document.parts import LineItemPart, NotPricedPart
from breakeven.reports.document.values import Amount, AtLeastOne, Money, Part, Quantity, Share
from breakeven.reports.formatting import money, rate
from breakeven.reports.sentences.line_items import not_priced_name, not_priced_reason


class OutcomePart(Part):
    """The stack with the model as it is, or with the candidate in its place."""

    monthly: Money = Field(description="USD monthly.")
    per_million_tokens: Amount = Field(description="USD per 1M tokens that are served.")
    replica_tokens_per_second: Quantity = Field(
        description="Output tokens per second of a full replica, as planned."
    )
    objective_share: Share = Field(
        description="Share of requests whose first token comes in time, by the simulated week."
    )


class CandidatePart(Part):
    """A candidate on trial next to the model."""

    model: str = Field(description="Name of the model whose requests it answers.")
    changes: Mapping[str, Any] = Field(description="Its settings by dotted key.")
    traffic_percent: AtLeastOne = Field(description="Share of the requests that it answers.")
    replicas: AtLeastOne = Field(description="Its replicas.")
    nodes: Quantity = Field(
        description="GPU nodes that are paid for it; 0 in a pool of fixed size."
    )
    monthly: Money = Field(description="USD monthly that the trial adds to the total.")
    contingency: Money = Field(description="The part of it that is contingency.")
    lines: Sequence[LineItemPart] = Field(description="What the trial adds to the bill.")
    not_priced: Sequence[NotPricedPart] = Field(description="What has no price.")
    unserved_share: Share = Field(
        description="Share of its requests that the model's replicas answer instead."
    )
    now: OutcomePart = Field(description="The stack with the model as it is.")
    promoted: OutcomePart = Field(description="The stack once the candidate is promoted.")


def candidate_parts(
    report: Report, line_item: Callable[[LineItem], LineItemPart]
) -> list[CandidatePart]:
    """Returns the parts of a report, one a candidate.

    Args:
        report: The report.
        line_item: Writes a line.
    """
    return [_part(found, line_item) for found in report.candidates]


def _part(found: CandidateCost, line_item: Callable[[LineItem], LineItemPart]) -> CandidatePart:
    return CandidatePart(
        model=found.model,
        changes=dict(found.changes),
        traffic_percent=found.traffic_percent,
        replicas=found.replicas,
        nodes=round(found.nodes, 4),
        monthly=money(found.monthly),
        contingency=money(found.contingency),
        lines=[line_item(line) for line in found.lines],
        not_priced=[
            NotPricedPart(
                name=not_priced_name(item), type=item.type, reason=not_priced_reason(item)
            )
            for item in found.not_priced
        ],
        unserved_share=round(found.unserved_share, 4),
        now=_outcome(found.now),
        promoted=_outcome(found.promoted),
    )


def _outcome(outcome: Outcome) -> OutcomePart:
    return OutcomePart(
        monthly=money(outcome.monthly),
        per_million_tokens=rate(outcome.usd_per_million_tokens),
        replica_tokens_per_second=round(outcome.replica_tokens_per_second, 4),
        objective_share=round(outcome.objective_share, 4),
    )
