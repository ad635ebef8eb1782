"""Pass rates of models, and the cost per solved task, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from breakeven.cost.answers.quality import Quality
from breakeven.cost.answers.solved import SolvedCost
from breakeven.cost.assumptions import Assumptions
from breakeven.reports.formatting import usd

_FEW = 50
_ALIKE = 0.1
"""Relative difference of lengths above which a setting is proposed."""


def not_compared(assumptions: Assumptions) -> Iterator[str]:
    """Returns that the verdict compares prices and not answers, unless there is an evaluation."""
    said = "Quality was not compared: prices compare tokens, not answers."
    if assumptions.others:
        yield f"{said} For stacks with one model, breakeven evaluate compares answers."
    elif not _compares(assumptions):
        yield (
            f"{said} To compare answers to your own prompts, run breakeven evaluate "
            f"{assumptions.stack}. If you already know the difference, set api.escalation and "
            "api.ownOutputPercent."
        )


def _compares(model: Assumptions) -> bool:
    quality = model.quality
    return quality is not None and quality.own is not None and len(quality.endpoints) > 1


def quality_notes(
    assumptions: Assumptions, quality: Quality, costs: Sequence[SolvedCost]
) -> Iterator[str]:
    """Returns what an evaluation shows, what it does not show, and which settings follow."""
    yield _record(quality)
    yield from _tells_apart(costs)
    yield from _escalation(assumptions, costs)
    yield from _length(assumptions, quality)
    for each in quality.endpoints:
        if each.other_model:
            yield (
                f"{each.endpoint or 'The self-hosted model'} answered as {each.other_model}; you "
                "stated "
                "that it is the same model."
            )


def _record(quality: Quality) -> str:
    judged = f", with {quality.judge} as judge for prompts that need one" if quality.judge else ""
    said = f"Evaluated {quality.day} with {quality.prompts:,} of your own prompts{judged}"
    said += (
        f" (stacks/evaluations/{quality.record}). Tokens: mean output tokens per answer. P95: "
        "time to the complete answer."
    )
    if not quality.complete:
        said += " Some prompts have no answer; run the same command again to continue."
    fewest = min(each.answered for each in quality.endpoints)
    if fewest < _FEW:
        said += f" One endpoint answered only {fewest}; intervals are usable from 50 answers."
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
            f"The pass rate intervals of the self-hosted model and {', '.join(unclear)} overlap, "
            "so these prompts do not distinguish them."
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
        f"Escalating the self-hosted model's failures, {failed}, to {both.api} costs "
        f"{usd(both.monthly - alone.monthly)}/month and solves {both.share:.1%} of tasks. Your "
        "application needs a check that detects the failures."
    )
    if not (1 - own.high) * 100 <= percent <= (1 - own.low) * 100:
        yield (
            f"The bill includes {percent:g}% (api.escalation.percent). To use the evaluated "
            f"share, set api.escalation.percent to {both.escalated * 100:.0f}."
        )


def _length(assumptions: Assumptions, quality: Quality) -> Iterator[str]:
    own, used = quality.own, quality.by(assumptions.api_in_use.reference)
    if own is None or used is None or not used.output_tokens:
        return
    ratio = own.output_tokens / used.output_tokens
    stated = assumptions.load.own_output_ratio
    said = (
        f"For the same prompts, the self-hosted model uses {own.output_tokens:,.0f} output "
        f"tokens per answer and {used.endpoint} uses {used.output_tokens:,.0f}: {ratio:.0%}"
    )
    if abs(ratio - stated) <= _ALIKE * stated:
        yield f"{said}, as in the bill (api.ownOutputPercent {stated * 100:.0f})."
    else:
        yield (
            f"{said}. The bill counts {stated:.0%}; to count what was found: "
            f"api.ownOutputPercent {max(1, min(10_000, round(ratio * 100)))}."
        )
