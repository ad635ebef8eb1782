"""The plan of a program: kept from the last run if nothing changed, else from a process.

This module imports nothing from settings or cost: see `breakeven.program_plan.process`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from breakeven.cost.bill.registered import Registered
from breakeven.errors import UserError
from breakeven.manifests.resource import Component
from breakeven.program_plan.answer import Checked, ProgramReport
from breakeven.program_plan.dependencies import digest_of
from breakeven.program_plan.kept import Kept, answers_folder, entries_digest, load, save
from breakeven.program_plan.process import EstimateProcess


class Plan:
    """What a program deploys, and the estimate of what it registered. Use it with `with`."""

    def __init__(
        self,
        stack: str,
        configuration: Mapping[str, str],
        *,
        deploys: bool,
        keeps: bool = True,
    ) -> None:
        """Looks for what was kept, or starts the process that plans.

        Args:
            stack: Name of the stack.
            configuration: What the stack file states, by NAMESPACE:KEY, in Pulumi's wire form.
            deploys: Whether to check what a deployment needs and an estimate does not.
            keeps: Whether answers may be kept; false if the configuration holds one of our secrets.

        Raises:
            UserError: The process could not be started.
        """
        self._stack, self._configuration, self._deploys = stack, configuration, deploys
        self._folder = answers_folder() if keeps else None
        self._digest = digest_of(stack, configuration) if self._folder else None
        self._process: EstimateProcess | None = None
        self._checked: Checked | None = None
        self._new: Kept | None = None
        self._kept = load(self._folder, self._digest) if self._folder and self._digest else None
        if self._kept is None:
            self._start()

    @property
    def is_kept(self) -> bool:
        """Whether the plan of an earlier run is used, and no process was started."""
        return self._process is None

    async def check(self) -> tuple[Component, ...]:
        """Waits until the stack, and everything that its estimate rests on, is checked.

        Returns:
            The components of the stack, the namespace first.

        Raises:
            UserError: The stack file has mistakes, the machine's clock is behind the prices, or
                the price book is damaged.
        """
        found = self._kept or await self._from_process()
        if self._deploys and found.undeployable:
            raise UserError(found.undeployable)
        return found.components

    async def report(self, entries: tuple[Registered, ...]) -> ProgramReport:
        """Returns the estimate of what was registered; call it after `check`."""
        digest = entries_digest(entries)
        if self._kept and self._kept.entries == digest:
            return self._kept.report
        checked = await self._from_process()
        report = await self._start().report(entries)
        self._new = Kept(checked.components, checked.undeployable, digest, report)
        return report

    async def _from_process(self) -> Checked:
        if self._checked is None:
            self._checked = await self._start().check()
        return self._checked

    def _start(self) -> EstimateProcess:
        if self._process is None:
            self._process = EstimateProcess(self._stack, self._configuration)
        return self._process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.end()
        if self._new and self._folder and self._digest and kind is None:
            self._save(self._folder, self._digest, self._new)

    def _save(self, folder: Path, digest: str, new: Kept) -> None:
        # A file may have changed since the digest was taken, and before the process read it.
        if digest_of(self._stack, self._configuration) == digest:
            save(folder, digest, new)
