"""Errors of bundles and of their contents."""

from __future__ import annotations

from breakeven.errors import UserError


class BundleError(UserError):
    """A bundle, or something that should go into one, cannot be used; names the file and why."""
