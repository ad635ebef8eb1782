"""Errors of a log: of one row, or of the whole log."""

from __future__ import annotations


class TrafficError(Exception):
    """A log that cannot be used; the message names the file, what was found, and what to do."""


class BadRowError(ValueError):
    """A row that cannot be used. The message is the reason, never the row's content."""
