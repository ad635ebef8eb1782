"""Where the command `breakeven` begins."""

from __future__ import annotations

from components.collector import collector_off

with collector_off():
    from components.cli.app import main

__all__ = ["main"]
