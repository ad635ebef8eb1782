"""`breakeven check`."""
