"""The local page of `breakeven serve`, and the same page as one file."""
