"""Mistakes that a user can fix. Each message says enough that no traceback is needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """With which code the command line ends."""

    FINE = 0
    ERROR = 1
    OVER_BUDGET = 2
    PRICE = 3  # a price is missing or stale


@dataclass(frozen=True, slots=True)
class Problem:
    """One setting that cannot be used.

    Attributes:
        key: Configuration key without the project's prefix.
        found: What the stack says, in words.
        allowed: What would be accepted, or what to change.
        price: Whether it is a price that is missing or too old.
    """

    key: str
    found: str
    allowed: str
    price: bool = False

    def __str__(self) -> str:
        end = "" if self.allowed.endswith("?") else "."
        return f"breakeven:{self.key}: {self.found}. {self.allowed}{end}"


class UserError(Exception):
    """A mistake that a user can fix.

    The command line prints the message and exits with `exit_code`; `resources.run_errors` hands it
    to Pulumi, which prints it without a traceback.

    Attributes:
        exit_code: Exit code of the command line.
    """

    exit_code = ExitCode.ERROR


_TOO_SHORT = 2
"""Letters that many names contain."""


class UnknownStackError(UserError):
    """There is no such stack file."""

    def __init__(self, stack: str, known: tuple[str, ...]) -> None:
        from breakeven.suggestions import near_names  # noqa: PLC0415  # of no use to --help

        near = near_names(stack, known)[:1] if len(stack) > _TOO_SHORT else ()
        closest = f"Did you mean {near[0]}? " if near else ""
        others = f"Available: {', '.join(known)}. " if known else ""
        super().__init__(
            f"stack '{stack}' not found (no stacks/Pulumi.{stack}.yaml). {closest}"
            f"{others}Create it with: breakeven init {stack}"
        )


class PriceBookError(UserError):
    """The price book itself cannot be used; no setting of a stack is to blame."""

    def __init__(self, error: Exception, path: Path) -> None:
        super().__init__(
            f"{error}. The file is {path}; docs/prices.md describes its format. Fix that line, or "
            f"undo all changes in a git checkout: git restore {path}"
        )


class StackFileError(UserError):
    """A stack file that is no YAML, or that cannot be changed without rewriting it."""


class NoYamlError(StackFileError):
    """A stack file that is no YAML."""

    def __init__(self, name: str, error: Exception) -> None:
        reason = " ".join(str(error).split())
        super().__init__(f"{name}: invalid YAML ({reason}). Fix it and try again")


class SeveralModelsError(UserError):
    """A command that knows one model was asked about a stack with several."""

    def __init__(self, stack: str, command: str, instead: str) -> None:
        super().__init__(
            f"stack {stack} serves several models, but {command} supports only one. {instead}"
        )


class ClockError(UserError):
    """The machine's date is before that of a price that it knows."""

    def __init__(self, today: date, price: str, as_of: date) -> None:
        super().__init__(
            f"Today is {today.isoformat()} by this machine's clock, but the price {price} is of "
            f"{as_of.isoformat()}: the clock is behind, so no price would ever be too old. Set "
            "the clock, for instance by: timedatectl set-ntp true"
        )


class OverBudgetError(UserError):
    """A stack costs more than its budget."""

    exit_code = ExitCode.OVER_BUDGET

    def __init__(self, stack: str, total: Decimal, budget: Decimal) -> None:
        over = total - budget
        super().__init__(
            f"stack {stack} is over its budget.\n"
            f"  limit:  ${budget:,.2f}/month\n"
            f"  actual: ${total:,.2f}\n"
            f"  over:   ${over:,.2f}, {over / budget:.1%}\n"
            f"  next:   see what would lower it: breakeven recommend {stack}; or raise the limit"
        )


class SettingsError(UserError):
    """All mistakes of one stack file."""

    def __init__(self, stack: str, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        if all(problem.price for problem in problems):
            self.exit_code = ExitCode.PRICE
        count = "1 invalid setting" if len(problems) == 1 else f"{len(problems)} invalid settings"
        lines = [f"Stack '{stack}' has {count}; nothing was changed."]
        lines += [f"  {number}. {problem}" for number, problem in enumerate(problems, start=1)]
        lines.append(f"Edit stacks/Pulumi.{stack}.yaml; docs/settings.md describes every setting.")
        super().__init__("\n".join(lines))


class TemplateError(UserError):
    """A template of charts/ that cannot be rendered; names the template and the cause."""
