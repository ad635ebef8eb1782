"""The command `breakeven preflight`: what a stack needs of its cluster, and whether it is there."""
