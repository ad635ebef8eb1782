"""A statement for each team and model, which together are the whole bill, to the cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.cost.report import Report
from breakeven.money import to_cents

Rule: TypeAlias = Literal["used", "reserved", "even"]
"""How shared costs are split: by served tokens, by reserved tokens, or evenly."""

Part: TypeAlias = Literal["busy", "idle", "other", "staffing", "contingency", "api"]
"""GPU nodes at work, GPU nodes idle, all other infrastructure, people, reserve, and APIs."""

PARTS: tuple[Part, ...] = ("busy", "idle", "other", "staffing", "contingency", "api")

NOBODY = "(nobody)"
"""Who pays for unused parts, such as a model that nobody called."""

_PER_KIND: Mapping[str, Part] = {
    "busy-nodes": "busy",
    "electricity-of-work": "busy",
    "idle-nodes": "idle",
    "overflow": "api",
    "escalation": "api",
}


class ChargebackError(ValueError):
    """A use that cannot be charged; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a team used of a model.

    Attributes:
        team: Who.
        model: Name of the model; empty if the stack serves one.
        own_tokens: Input and output tokens that own replicas served, 0 or more.
        api_usd: What the API took for the team's requests, in USD, 0 or more.
    """

    team: str
    model: str = ""
    own_tokens: Decimal = Decimal(0)
    api_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What a team pays for a model, in USD per month.

    Attributes:
        use: What it used.
        parts: Each part of the bill, to the cent.
    """

    use: Use
    parts: Mapping[Part, Decimal]

    @property
    def total(self) -> Decimal:
        """All parts."""
        return sum(self.parts.values(), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The whole bill of a month, by team and model. The charges sum to `total`.

    Attributes:
        rule: How what nobody alone causes was split.
        charges: By team and model, in their order.
        total: The bill in USD per month, with what a candidate on trial costs.
    """

    rule: Rule
    charges: tuple[Charge, ...]
    total: Decimal

    def of_team(self, team: str) -> Decimal:
        """Returns what a team pays for all models."""
        own = (charge.total for charge in self.charges if charge.use.team == team)
        return sum(own, Decimal(0))


def statement(
    report: Report,
    uses: Sequence[Use],
    rule: Rule,
    *,
    reserved: Mapping[str, int] | None = None,
    total: Decimal | None = None,
) -> Statement:
    """Splits a bill among the users of the stack.

    What an API took is split by what it took for each. Everything else is split by the rule: what
    is there for one model among those who used it, the rest among all. Idle hours, people and the
    reserve are in it, so that nothing is left over.

    Args:
        report: The estimate, whose bill is split.
        uses: What was used, each team and model once.
        rule: How.
        reserved: Tokens per day that each team may use; needed by the rule "reserved".
        total: What was charged in fact, USD per month; every part is scaled to it. None for the
            estimate.

    Raises:
        ChargebackError: Nobody used anything, or a team without a reservation did.
    """
    if not uses:
        msg = "no team used the stack. Give a time in which requests came"
        raise ChargebackError(msg)
    ordered = sorted(uses, key=lambda use: (use.team, use.model))
    known = {(use.team, use.model) for use in ordered}
    if len(known) < len(ordered):
        msg = "a team and model appears twice. Add its uses up"
        raise ChargebackError(msg)
    weights = _weights(ordered, rule, reserved or {})
    amounts = _scaled(_amounts(report), total)
    everyone = [*ordered, Use(team=NOBODY)]
    sums: list[dict[Part, Decimal]] = [dict.fromkeys(PARTS, Decimal(0)) for _ in everyone]
    for (part, model), amount in amounts.items():
        of_part = [use.api_usd for use in ordered] if part == "api" else weights
        mine = [
            weight if not model or not use.model or use.model == model else Decimal(0)
            for use, weight in zip(ordered, of_part, strict=True)
        ]
        if part == "api" and not any(mine):
            mine = list(weights)  # planned, and not used: shared as the rest
        for own, share in zip(sums, split(amount, [*mine, Decimal(not any(mine))]), strict=True):
            own[part] += share
    charges = [Charge(use=use, parts=parts) for use, parts in zip(everyone, sums, strict=True)]
    if not charges[-1].total:
        charges.pop()
    whole = sum((charge.total for charge in charges), Decimal(0))
    return Statement(rule=rule, charges=tuple(charges), total=whole)


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Returns parts of an amount in proportion to weights, to the cent, which sum to it.

    Args:
        amount: In USD, to the cent.
        weights: 0 or more each, and one above 0.
    """
    whole = sum(weights, Decimal(0))
    parts: list[Decimal] = []
    given = so_far = Decimal(0)
    for weight in weights:
        so_far += weight
        upto = to_cents(amount * so_far / whole)
        parts.append(upto - given)
        given = upto
    return parts


def _weights(uses: Sequence[Use], rule: Rule, reserved: Mapping[str, int]) -> list[Decimal]:
    teams = {use.team for use in uses}
    by_team = {team: [use for use in uses if use.team == team] for team in teams}
    if rule == "used":
        tokens = [use.own_tokens for use in uses]
        return tokens if any(tokens) else [Decimal(1)] * len(uses)
    if rule == "reserved":
        if lacking := sorted(team for team in teams if not reserved.get(team)):
            msg = (
                f"{', '.join(lacking)}: no reservation. Set tokensPerDay of the team in "
                "gateway.teams, or split by use: --split used"
            )
            raise ChargebackError(msg)
        of_team = {team: Decimal(reserved[team]) for team in teams}
    else:
        of_team = dict.fromkeys(teams, Decimal(1))
    weights = []
    for use in uses:
        own = by_team[use.team]
        tokens_of_team = sum((each.own_tokens for each in own), Decimal(0))
        share = use.own_tokens / tokens_of_team if tokens_of_team else Decimal(1) / len(own)
        weights.append(of_team[use.team] * share)
    return weights


def _amounts(report: Report) -> dict[tuple[Part, str], Decimal]:
    """Returns the bill by part and model; empty for what all models share.

    What a candidate on trial costs is the model's, whose requests it answers.
    """
    amounts: dict[tuple[Part, str], Decimal] = {}
    for line in (*report.infrastructure.lines, *report.candidate_lines):
        key = _PER_KIND.get(line.kind, "other"), line.model
        amounts[key] = amounts.get(key, Decimal(0)) + line.monthly
    amounts["staffing", ""] = report.bill.staffing_monthly
    amounts["contingency", ""] = report.bill.contingency + report.candidate_contingency
    return amounts


def _scaled(
    amounts: Mapping[tuple[Part, str], Decimal], total: Decimal | None
) -> Mapping[tuple[Part, str], Decimal]:
    if total is None:
        return amounts
    ordered = sorted(amounts.items())
    # A discount has a negative amount; only the part that it lowers is split.
    weights = [max(amount, Decimal(0)) for _, amount in ordered]
    parts = split(to_cents(total), weights)
    return {key: part for (key, _), part in zip(ordered, parts, strict=True)}
