"""Changes that may lower the bill; `breakeven.planning.levers` estimates them."""
