"""The command `breakeven prices`: list, check and refresh the price list."""
