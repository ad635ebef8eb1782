"""Type tokens that program, reports and policies share."""

from __future__ import annotations

ESTIMATE = "breakeven:cost:Estimate"
"""The resource whose inputs are the figures of a stack's report; it stands in the stack's state."""
