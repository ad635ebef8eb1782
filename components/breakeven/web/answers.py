"""A mistake as the page's script takes it."""

from __future__ import annotations

from breakeven.errors import SettingsError, UserError
from breakeven.web.controls import DISCOUNT, MACHINE

_CONTROLS = {
    "pool.instanceTypes": MACHINE,
    "pool.gpu": MACHINE,
    "pool.gpusPerNode": MACHINE,
    "api.terms": DISCOUNT,
}
"""By which control a setting is moved that has none of its own name."""


def refusal(error: UserError) -> dict[str, object]:
    """Returns a mistake with the messages of the command line, each with its control."""
    problems = error.problems if isinstance(error, SettingsError) else ()
    return {
        "mistake": str(error),
        "problems": [
            {
                "control": _CONTROLS.get(problem.key, problem.key),
                "message": str(problem),
            }
            for problem in problems
        ],
    }
