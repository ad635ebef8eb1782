"""`breakeven prices`."""
