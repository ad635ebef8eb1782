"""What stops `breakeven reconcile`."""

from __future__ import annotations

from breakeven.errors import UserError


class ReconcileError(UserError):
    """The observed data is invalid."""
