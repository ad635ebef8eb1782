"""The command `breakeven recommend`: rank configurations for the traffic of a stack."""
