"""The command `breakeven chargeback`: a statement for each team and model."""
