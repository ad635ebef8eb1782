"""How well endpoints answered the user's own prompts, as far as costs depend on it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerQuality:
    """How one endpoint answered.

    Attributes:
        endpoint: Reference of an API; empty for the stack's own model.
        answered: Prompts that it answered, 1 or more.
        passed: Of them, those whose answer passes all checks.
        low: Lower end of the 95% interval of its pass rate, 0 to 1.
        high: Upper end.
        output_tokens: Mean output of an answer.
        p95_seconds: Time to the whole answer, 95th percentile.
        own_failed: Prompts that it and the own model answered, and the own model failed.
        solved_own_failed: Of them, those that it passed.
        input_price: USD per 1M input tokens that it charged; None for own replicas.
        output_price: The same for output tokens.
        other_model: By which name it answered, where that is not the one that was asked for.
    """

    endpoint: str
    answered: int
    passed: int
    low: float
    high: float
    output_tokens: float
    p95_seconds: float
    own_failed: int = 0
    solved_own_failed: int = 0
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    other_model: str = ""

    @property
    def pass_rate(self) -> float:
        """Share of its answers that pass, 0 to 1."""
        return self.passed / self.answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """An evaluation of a stack's model and of APIs by the same prompts.

    Attributes:
        record: Name of the record's file.
        day: On which it was made, as YYYY-MM-DD.
        prompts: Prompts of the file.
        complete: Whether every endpoint answered all of them.
        judge: Model that judged; empty for none.
        endpoints: One for each, in the order of the record.
    """

    record: str
    day: str
    prompts: int
    complete: bool
    judge: str
    endpoints: tuple[AnswerQuality, ...]

    @property
    def own(self) -> AnswerQuality | None:
        """The stack's own model; None if it was not asked."""
        return self.by("")

    def by(self, reference: str) -> AnswerQuality | None:
        """Returns how an API answered; None if it was not asked."""
        return next((each for each in self.endpoints if each.endpoint == reference), None)
