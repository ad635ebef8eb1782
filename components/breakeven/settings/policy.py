"""Which rules of the policy packs single resources need not keep."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field

from breakeven.settings.fields import Form, Group, List, refuse
from breakeven.settings.files import WAIVERS


def _waiver_file(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][\w.-]*", text, re.ASCII) is None:
        raise ValueError(text)
    if not (WAIVERS / text).is_file():
        there = ", ".join(sorted(file.name for file in WAIVERS.glob("*.yaml")))
        refuse(
            f"no file stacks/waivers/{text}",
            f"Allowed: {there or 'names of files in stacks/waivers/'}",
        )
    return text


_WaiverFile = Annotated[str, Form(_waiver_file, allowed="names of files in stacks/waivers/")]


class PolicySettings(Group):
    """Which rules of the policy packs single resources need not keep."""

    waivers: Annotated[tuple[_WaiverFile, ...], List] = Field(
        default=("kit.yaml",),
        description="Files in stacks/waivers/ with exceptions from policy rules for individual "
        "resources",
    )

    @property
    def waiver_files(self) -> tuple[Path, ...]:
        """The files of these names."""
        return tuple(WAIVERS / name for name in self.waivers)
