"""`breakeven traffic`."""
