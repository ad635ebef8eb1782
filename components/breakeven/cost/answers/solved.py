"""What a solved task costs: one whose answer passes the user's own checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from breakeven.catalog.apis.prices import ApiPrice
from breakeven.cost.answers.quality import AnswerQuality, Quality
from breakeven.cost.demand.load import Load
from breakeven.cost.report import ApiCost, Report
from breakeven.money import to_decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvedCost:
    """One way to have tasks solved.

    Attributes:
        kind: The own model, the own model with its failures answered again by an API, or an API.
        api: Reference of the API; empty for the own model alone.
        quality: How the endpoint answered; of an escalation, the own model.
        monthly: USD per month for all requests.
        per_million_tokens: The same over their tokens.
        share: Tasks that are solved, 0 to 1.
        low: Lower end of its 95% interval; None for an escalation.
        high: Upper end.
        requests: Requests of a month.
        escalated: Share of the requests that the API answers again; 0 but for an escalation.
    """

    kind: Literal["own", "escalated", "api"]
    api: str
    quality: AnswerQuality
    monthly: Decimal
    per_million_tokens: Decimal
    share: float
    low: float | None
    high: float | None
    requests: Decimal
    escalated: float = 0.0

    @property
    def per_task(self) -> Decimal | None:
        """USD for one solved task; None if none is solved."""
        return self._at(self.share)

    @property
    def per_task_low(self) -> Decimal | None:
        """The same at the upper end of the interval."""
        return self._at(self.high)

    @property
    def per_task_high(self) -> Decimal | None:
        """The same at the lower end of the interval; None for without limit."""
        return self._at(self.low)

    def _at(self, share: float | None) -> Decimal | None:
        if not share:
            return None
        return self.monthly / (self.requests * to_decimal(share))


def solved_costs(report: Report) -> tuple[SolvedCost, ...]:
    """Returns what a solved task costs, by everyone who was evaluated and has a place here.

    None for a stack of several models: their requests are not told apart by what they cost.

    Args:
        report: The estimate.
    """
    quality = report.assumptions.quality
    if quality is None or report.assumptions.others:
        return ()
    return tuple(_solved(report, quality))


def _solved(report: Report, quality: Quality) -> Iterator[SolvedCost]:
    assumptions = report.assumptions
    tokens = assumptions.tokens_per_month
    requests = tokens / assumptions.load.tokens_per_request
    apis = list(_apis(report, requests))
    own = quality.own
    if own is not None:
        # What is answered again is a way of its own here.
        alone = report.serving_total - report.bill.escalation_monthly
        yield SolvedCost(
            kind="own",
            api="",
            quality=own,
            monthly=alone,
            per_million_tokens=alone / tokens * 10**6,
            share=own.pass_rate,
            low=own.low,
            high=own.high,
            requests=requests,
        )
        escalating = _escalating(report, [price for price, _ in apis])
        other = None if escalating is None else quality.by(escalating.reference)
        if escalating is not None and other is not None and other.own_failed:
            failed = 1 - own.pass_rate
            monthly = alone + to_decimal(failed) * escalating.usd_per_request * requests
            yield SolvedCost(
                kind="escalated",
                api=escalating.reference,
                quality=own,
                monthly=monthly,
                per_million_tokens=monthly / tokens * 10**6,
                share=own.pass_rate + failed * other.solved_own_failed / other.own_failed,
                low=None,
                high=None,
                requests=requests,
                escalated=failed,
            )
    costs = {price.reference: monthly for price, monthly in apis}
    for found in quality.endpoints:
        monthly_by = costs.get(found.endpoint)
        if monthly_by is None:
            monthly_by = _by_recorded_price(found, assumptions.load, requests)
        if monthly_by is not None:
            yield SolvedCost(
                kind="api",
                api=found.endpoint,
                quality=found,
                monthly=monthly_by,
                per_million_tokens=monthly_by / tokens * 10**6,
                share=found.pass_rate,
                low=found.low,
                high=found.high,
                requests=requests,
            )


def _by_recorded_price(found: AnswerQuality, load: Load, requests: Decimal) -> Decimal | None:
    """Returns what a candidate costs that the stack does not name, by what it charged then."""
    if found.input_price is None or found.output_price is None:
        return None
    usd = found.input_price * load.input_tokens + found.output_price * load.output_tokens
    return usd * requests / 10**6


def _apis(report: Report, requests: Decimal) -> Iterator[tuple[ApiPrice, Decimal]]:
    """Yields each API that serves or could serve the traffic, and what all of it costs there."""
    for cost in (report.api, *report.hosted):
        if cost.price.parts:
            for part in cost.price.parts:
                yield part.price, part.price.usd_for_each(requests) * requests
        else:
            yield cost.price, _without_escalation(report, cost, requests)


def _without_escalation(report: Report, cost: ApiCost, requests: Decimal) -> Decimal:
    """An offer of the same model is priced with what is answered again; here it is not."""
    again = report.assumptions.escalation
    if again is None or not cost.same_model:
        return cost.monthly
    return cost.monthly - again.usd_per_request * requests


def _escalating(report: Report, known: list[ApiPrice]) -> ApiPrice | None:
    """Returns who answers again: as the stack states, else the API in use."""
    stated = report.assumptions.escalation
    if stated is not None:
        return stated.api
    return known[0] if known else None
