"""The process that estimates while the Pulumi program registers: see `breakeven.program_report`.

Nothing of the cost side is imported here, so that the process can be started before anything else.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from breakeven.errors import UserError

if TYPE_CHECKING:
    from breakeven.cost.bill.registered import Registered
    from breakeven.manifests.gateway.prices import TokenPrices
    from breakeven.manifests.monitoring.planned import PlannedCost

# Not `-m`: classes of a module that runs as __main__ can't be unpickled elsewhere.
_MAIN = "from breakeven.program_report import main; main()"
_PACKAGES = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class ProgramReport:
    """The estimate of what a program registers, in every form that the program needs.

    Attributes:
        text: The tables of a preview.
        figures: All figures, as the inputs of a resource.
        outputs: Outputs of the stack: how an update goes, and the cost in short.
        planned_costs: The figures of each model, for Prometheus.
        token_prices: What a token costs, for the budgets of a gateway; None without one.
    """

    text: str
    figures: dict[str, object]
    outputs: dict[str, object]
    planned_costs: tuple[PlannedCost, ...]
    token_prices: TokenPrices | None


class EstimateProcess:
    """A process that checks a stack, then estimates what was registered. Use it with `with`."""

    def __init__(self, stack: str, configuration: Mapping[str, str]) -> None:
        """Starts the process, which begins to check the stack.

        Args:
            stack: Name of the stack.
            configuration: What the stack states, by key without prefix, in Pulumi's wire form.
        """
        found_first = os.pathsep.join([str(_PACKAGES), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            # -P: a module of the user's folder must not be taken for one of ours.
            [sys.executable, "-P", "-c", _MAIN],
            env={**os.environ, "PYTHONPATH": found_first.rstrip(os.pathsep)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._ask([stack, dict(configuration)])

    @property
    def pid(self) -> int:
        """Process identifier."""
        return self._process.pid

    async def check(self) -> None:
        """Waits until everything that the estimate rests on is checked.

        Raises:
            UserError: The stack file has mistakes, the machine's clock is behind the prices, or
                the price book is damaged.
        """
        mistake: str | None = await asyncio.to_thread(self._answer)
        if mistake is not None:
            raise UserError(mistake)

    async def report(self, entries: tuple[Registered, ...]) -> ProgramReport:
        """Returns the estimate of what was registered; call it after `check`."""
        self._ask([[entry.name, entry.type, entry.properties] for entry in entries])
        report: ProgramReport = await asyncio.to_thread(self._answer)
        return report

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # It ends when nobody asks any more; what it still computes is of no use.
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

    def _answer(self) -> Any:  # what the process answers: see program_report
        try:
            return pickle.load(_pipe(self._process.stdout))  # noqa: S301  # from the own process
        except EOFError:
            raise self._ended() from None

    def _ended(self) -> RuntimeError:
        return RuntimeError(
            f"the process that estimates the cost ended with exit code {self._process.wait()}; "
            "its error is printed above. If it was killed, the machine may be out of memory"
        )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101  # both were asked for when it was started
    return pipe
