"""The command `breakeven`: everything that needs no Pulumi engine."""
