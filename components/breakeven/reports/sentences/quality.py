"""How well models answer, and what a solved task costs, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from breakeven.cost.answers.quality import Quality
from breakeven.cost.answers.solved import SolvedCost
from breakeven.cost.assumptions import Assumptions
from breakeven.reports.formatting import usd

_FEW = 50
_ALIKE = 0.1
"""Difference of lengths from which on a setting is proposed."""


def not_compared(assumptions: Assumptions) -> Iterator[str]:
    """Says that the verdict compares prices and not answers; nothing where an evaluation does."""
    said = "Quality was not compared: prices compare tokens, not answers."
    if assumptions.others:
        yield f"{said} breakeven evaluate compares answers for stacks of one model."
    elif not _compares(assumptions):
        yield (
            f"{said} To compare answers to your own prompts: breakeven evaluate "
            f"{assumptions.stack}. What you know already goes into api.escalation and "
            "api.ownOutputPercent."
        )


def _compares(model: Assumptions) -> bool:
    quality = model.quality
    return quality is not None and quality.own is not None and len(quality.endpoints) > 1


def quality_notes(
    assumptions: Assumptions, quality: Quality, costs: Sequence[SolvedCost]
) -> Iterator[str]:
    """Says what an evaluation shows, what it does not show, and which settings follow."""
    yield _record(quality)
    yield from _tells_apart(costs)
    yield from _escalation(assumptions, costs)
    yield from _length(assumptions, quality)
    for each in quality.endpoints:
        if each.other_model:
            yield (
                f"{each.endpoint or 'The own replica'} answered as {each.other_model}; you stated "
                "that it is the same model."
            )


def _record(quality: Quality) -> str:
    judged = f", judged by {quality.judge} where a prompt asks for it" if quality.judge else ""
    said = f"Evaluated {quality.day} by {quality.prompts:,} prompts of your own{judged}"
    said += (
        f" (stacks/evaluations/{quality.record}). Tokens: mean output of an answer; p95: time to"
        " the whole answer."
    )
    if not quality.complete:
        said += " Not all were answered; the same command goes on where it stopped."
    fewest = min(each.answered for each in quality.endpoints)
    if fewest < _FEW:
        said += f" An endpoint answered {fewest} of them; from 50 on, intervals are usable."
    return said


def _tells_apart(costs: Sequence[SolvedCost]) -> Iterator[str]:
    own = next((each for each in costs if each.kind == "own"), None)
    if own is None:
        return
    unclear = [
        each.api
        for each in costs
        if each.kind == "api" and _overlap(own.quality.low, own.quality.high, each)
    ]
    if unclear:
        yield (
            "The intervals of the own model's pass rate and of "
            f"{', '.join(unclear)} overlap: these prompts do not tell them apart."
        )


def _overlap(low: float, high: float, other: SolvedCost) -> bool:
    return low <= other.quality.high and other.quality.low <= high


def _escalation(assumptions: Assumptions, costs: Sequence[SolvedCost]) -> Iterator[str]:
    both = next((each for each in costs if each.kind == "escalated"), None)
    if both is None:
        return
    alone = next(each for each in costs if each.kind == "own")
    own = both.quality
    failed = (
        f"{both.escalated:.0%} of requests (95% interval {1 - own.high:.0%} to {1 - own.low:.0%})"
    )
    stated = assumptions.escalation
    percent = 0.0 if stated is None else float(stated.share) * 100
    yield (
        f"To have {both.api} answer again what the own model fails, {failed}, costs "
        f"{usd(both.monthly - alone.monthly)}/month and solves {both.share:.1%} of tasks; it takes "
        "a check in your application that finds the failures."
    )
    if not (1 - own.high) * 100 <= percent <= (1 - own.low) * 100:
        yield (
            f"The bill counts {percent:g}% (api.escalation.percent). To count what was found: "
            f"api.escalation.percent {both.escalated * 100:.0f}."
        )


def _length(assumptions: Assumptions, quality: Quality) -> Iterator[str]:
    own, used = quality.own, quality.by(assumptions.api_in_use.reference)
    if own is None or used is None or not used.output_tokens:
        return
    ratio = own.output_tokens / used.output_tokens
    stated = assumptions.load.own_output_ratio
    said = (
        f"To the same prompts the own model answers with {own.output_tokens:,.0f} tokens and "
        f"{used.endpoint} with {used.output_tokens:,.0f}: {ratio:.0%}"
    )
    if abs(ratio - stated) <= _ALIKE * stated:
        yield f"{said}, as the bill counts (api.ownOutputPercent {stated * 100:.0f})."
    else:
        yield (
            f"{said}. The bill counts {stated:.0%}; to count what was found: "
            f"api.ownOutputPercent {max(1, min(10_000, round(ratio * 100)))}."
        )
