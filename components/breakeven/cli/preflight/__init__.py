"""The command `breakeven preflight`: check whether a cluster has what a stack needs."""
