"""The command `breakeven reconcile`: an estimate against what happened and what was charged."""
