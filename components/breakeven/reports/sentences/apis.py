"""Reasons against comparing with an API offer, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from breakeven.catalog.apis.findings import (
    ContextTooShort,
    Finding,
    OutsideRegions,
    PriceDisputed,
    Retired,
    RetiresSoon,
    Unconfirmed,
    excludes,
)
from breakeven.catalog.apis.prices import ApiPrice
from breakeven.cost.assumptions import Assumptions
from breakeven.cost.report import ApiCost
from breakeven.reports.formatting import counted, usd, usd_per_million
from breakeven.reports.sentences.quality import not_compared


def label(cost: ApiCost) -> str:
    """Names an API, with the reasons that exclude it now or soon."""
    words = [_short(finding) for finding in cost.price.findings if _is_shown_in_label(finding)]
    name = cost.price.reference
    return f"{name} ({'; '.join(words)})" if words else name


def finding_sentence(finding: Finding) -> str:
    """Returns one finding about an offer, with its source."""
    match finding:
        case Retired(on, source):
            when = "no longer available" if on is None else f"retired on {on.isoformat()}"
            return f"{when}, {source}"
        case RetiresSoon(on, source):
            return f"retires on {on.isoformat()}, {source}"
        case ContextTooShort(tokens, needed, _):
            return (
                f"accepts at most {tokens:,} tokens of input; this stack allows requests of "
                f"{needed:,} (model.maxLength)"
            )
        case OutsideRegions(region, allowed):
            where = f"processes requests in {region}" if region else "its region is unknown"
            return f"{where}; allowed by api.regions: {', '.join(allowed)}"
        case PriceDisputed():
            return (
                f"sources disagree: {usd_per_million(finding.lower)} ({finding.lower_source}) or "
                f"{usd_per_million(finding.higher)} ({finding.higher_source}) per 1M tokens; the "
                "higher price is used"
            )
        case Unconfirmed(source, as_of):
            return (
                f"not in {source} of {as_of.isoformat()}, which lists other models of this provider"
            )


def api_notes(costs: Iterable[ApiCost]) -> Iterator[str]:
    """Returns the findings about each API; excluded APIs come first."""
    costs = tuple(costs)
    for price in (cost.price for cost in costs):
        yield from _fees(price)
    named: dict[tuple[bool, str], list[str]] = {}
    for cost in costs:
        for finding in cost.price.findings:
            found = not excludes(finding), finding_sentence(finding)
            named.setdefault(found, []).append(cost.price.reference)
    for (decides, sentence), references in sorted(named.items(), key=lambda item: item[0][0]):
        start = "" if decides else "Excluded: "
        yield f"{start}{', '.join(dict.fromkeys(references))}: {sentence}."


def _fees(price: ApiPrice) -> Iterator[str]:
    for part in price.parts:
        yield from _fees(part.price)
    if not price.monthly_fee or price.parts:
        return
    months = price.commitment_months
    committed = f"; its units are committed for {counted(months, 'month')}" if months else ""
    yield f"{price.reference}: {usd(price.monthly_fee)}/month is paid at any volume{committed}."


def comparison_caveats(assumptions: Assumptions) -> Iterator[str]:
    """Says whether quality was compared, and what the stack states about it."""
    stated = []
    for model in assumptions.models:
        of_model = f" of {model.model_name}" if assumptions.others else ""
        if model.load.own_output_ratio != 1:
            stated.append(
                f"answers{of_model} have {model.load.own_output_ratio:.0%} of the API's output "
                "tokens (api.ownOutputPercent)"
            )
        if model.escalation is not None:
            stated.append(
                f"{model.escalation.share:.0%} of requests{of_model} are escalated to "
                f"{model.escalation.api.reference} (api.escalation)"
            )
    if any(model.load.unit != "request" for model in assumptions.models):
        yield (
            "Prices compare tokens, not results: another model's vectors or scores may retrieve "
            "less, and changing the model requires embedding every text again."
        )
        return
    yield from not_compared(assumptions)
    if stated:
        yield f"This stack states how its model differs: {'; '.join(stated)}."


def _is_shown_in_label(finding: Finding) -> bool:
    return excludes(finding) or isinstance(finding, RetiresSoon | PriceDisputed)


def _short(finding: Finding) -> str:
    match finding:
        case Retired(on, _):
            return "no longer available" if on is None else f"retired {on.isoformat()}"
        case RetiresSoon(on, _):
            return f"retires {on.isoformat()}"
        case ContextTooShort(tokens, _, _):
            return f"context {tokens:,}"
        case OutsideRegions(region, _):
            return f"region {region or 'unknown'}"
        case PriceDisputed():
            return "price disputed"
        case Unconfirmed():
            return "unconfirmed"
