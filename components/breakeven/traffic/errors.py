"""What can be wrong with a log: one row, or the whole of it."""

from __future__ import annotations


class TrafficError(Exception):
    """A log that cannot be used; the message names the file, what was found, and what to do."""


class BadRowError(ValueError):
    """A row that cannot be used. Its message is the reason, never the row's content."""
