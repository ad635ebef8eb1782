"""`breakeven init`."""
