"""The process that plans what the Pulumi program registers: see `breakeven.program_plan.planner`.

This module imports nothing from settings, manifests or cost, so that the process can be started
before anything else.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from breakeven.errors import UserError

if TYPE_CHECKING:
    from breakeven.cost.bill.registered import Registered
    from breakeven.program_plan.answer import Checked, ProgramReport

# Not `-m`: classes of a module that runs as __main__ cannot be unpickled elsewhere.
_MAIN = "from breakeven.program_plan.planner import main; main()"
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""No code here multiplies matrices, and numpy needs 0.1 s to start threads for that."""

_PACKAGES = Path(__file__).resolve().parents[2]


class EstimateProcess:
    """A process that checks a stack, then estimates what was registered; end it with `end`."""

    def __init__(self, stack: str, configuration: Mapping[str, str]) -> None:
        """Starts the process, which begins to check the stack.

        Args:
            stack: Name of the stack.
            configuration: What the stack file states, by NAMESPACE:KEY, in Pulumi's wire form.

        Raises:
            UserError: The process could not be started.
        """
        found_first = os.pathsep.join([str(_PACKAGES), os.environ.get("PYTHONPATH", "")])
        try:
            self._process = subprocess.Popen(
                # -P: a module of the user's folder must not be taken for one of ours.
                [sys.executable, "-P", "-c", _MAIN],
                env={**_ONE_THREAD, **os.environ, "PYTHONPATH": found_first.rstrip(os.pathsep)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        except OSError as error:
            msg = (
                f"the process that estimates the cost did not start: {error}. Free memory, then "
                "try again"
            )
            raise UserError(msg) from None
        self._ask([stack, dict(configuration)])

    @property
    def pid(self) -> int:
        """Process identifier."""
        return self._process.pid

    async def check(self) -> Checked:
        """Waits until the stack, and everything that its estimate rests on, is checked.

        Raises:
            UserError: The stack file has mistakes, the machine's clock is behind the prices, or
                the price book is damaged.
        """
        found: Checked | str = await asyncio.to_thread(self._answer)
        if isinstance(found, str):
            raise UserError(found)
        return found

    async def report(self, entries: tuple[Registered, ...]) -> ProgramReport:
        """Returns the estimate of what was registered; call it after `check`."""
        self._ask([[entry.name, entry.type, entry.properties] for entry in entries])
        report: ProgramReport = await asyncio.to_thread(self._answer)
        return report

    def end(self) -> None:
        """Ends the process and discards what it still computes."""
        self._process.kill()
        self._process.communicate()

    def _ask(self, question: object) -> None:
        pipe = _pipe(self._process.stdin)
        try:
            # Manifests are read-only mappings, which only `dict` makes plain.
            pipe.write(json.dumps(question, default=dict).encode() + b"\n")
            pipe.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def _answer(self) -> Any:  # what the process answers: see program_plan.planner
        try:
            return pickle.load(_pipe(self._process.stdout))  # noqa: S301  # from the own process
        except EOFError:
            raise self._ended() from None

    def _ended(self) -> UserError:
        return UserError(
            f"the process that estimates the cost ended with exit code {self._process.wait()}; "
            "its error is printed above. If it was killed, the machine may be out of memory"
        )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101  # both were asked for when it was started
    return pipe
