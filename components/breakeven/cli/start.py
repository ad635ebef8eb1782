"""Where the command `breakeven` begins."""

from __future__ import annotations

from breakeven.collector import collector_off

with collector_off():
    from breakeven.cli.app import main

__all__ = ["main"]
