"""Whether the cheapest own configuration or the cheapest API is the answer."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from breakeven.cost.optimizer.candidates import Candidate
from breakeven.cost.recommendation import Choice
from breakeven.cost.report import ApiCost

Ground: TypeAlias = Literal[
    "no-comparator", "data-stays", "api-cheaper", "depends-on-capacity", "own-cheaper"
]
"""Why: no API may decide, prompts may not leave, one side costs less, or a measurement decides."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The result of a search. Money in USD per month.

    Attributes:
        choice: What to do.
        ground: Why.
        best: The cheapest own configuration.
        monthly_if_slower: Its cost if a replica serves as little as its band allows.
        api: The cheapest API that may decide; None if none may.
    """

    choice: Choice
    ground: Ground
    best: Candidate
    monthly_if_slower: Decimal
    api: ApiCost | None


def conclude(
    best: Candidate, slower: Decimal, api: ApiCost | None, *, data_may_leave: bool
) -> Conclusion:
    """Decides between the cheapest own configuration and the cheapest API, as an estimate does.

    Args:
        best: The cheapest own configuration.
        slower: USD per month of it if a replica serves as little as its band allows.
        api: The cheapest API that may decide; None if none may.
        data_may_leave: Whether prompts may go to an API.
    """
    own: Choice = "hybrid" if best.configuration.operation == "hybrid" else "self-host"
    if api is None:
        return Conclusion(own, "no-comparator", best, slower, api)
    outside: Choice = "hosted" if api.same_model else "api"
    if not data_may_leave:
        return Conclusion(own, "data-stays", best, slower, api)
    if api.monthly <= best.monthly:
        return Conclusion(outside, "api-cheaper", best, slower, api)
    if slower > api.monthly:
        return Conclusion(outside, "depends-on-capacity", best, slower, api)
    return Conclusion(own, "own-cheaper", best, slower, api)
