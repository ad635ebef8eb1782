"""`breakeven bundle`."""
