"""`breakeven recommend`."""
