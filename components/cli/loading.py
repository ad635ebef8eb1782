"""What commands need of a stack file: its settings and what an estimate of it rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from components.cost.assumptions import Assumptions
from components.cost.quantities import Registered
from components.costing import assumptions_of
from components.errors import UnknownStackError
from components.offline import ledger_of
from components.project import stack_names, stack_values
from components.settings import parse
from components.settings_types import Settings


@dataclass(frozen=True, slots=True)
class LoadedStack:
    """A stack file, read and checked."""

    settings: Settings
    assumptions: Assumptions

    def ledger(self, precision: str | None = None) -> tuple[Registered, ...]:
        """Returns what the stack registers, with weights of another precision if one is given."""
        return ledger_of(self.settings if precision is None else self.with_precision(precision))

    def with_precision(self, precision: str) -> Settings:
        """Returns the settings with weights of another precision."""
        return replace(self.settings, model=replace(self.settings.model, precision=precision))


def load_stack(stack: str, today: date | None = None) -> LoadedStack:
    """Reads a stack file and looks its prices up.

    Args:
        stack: Name of a stack file in stacks/.
        today: Day on which prices are looked up; the present day if None.

    Raises:
        UnknownStackError: There is no such stack file.
        SettingsError: The stack file has mistakes; all are named.
    """
    if stack not in stack_names():
        raise UnknownStackError(stack, stack_names())
    settings, reader = parse(stack_values(stack))
    day = today or datetime.now(tz=UTC).date()
    return LoadedStack(settings, assumptions_of(stack, settings, reader, day))
