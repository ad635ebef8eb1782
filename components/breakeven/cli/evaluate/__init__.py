"""The command `breakeven evaluate`: how well endpoints answer your own prompts."""
