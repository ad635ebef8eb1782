"""What stops `breakeven reconcile`."""

from __future__ import annotations

from breakeven.errors import UserError


class ReconcileError(UserError):
    """What was observed can't be used."""
