"""The command `breakeven init`: a new stack file from a few answers."""
