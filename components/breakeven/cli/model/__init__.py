"""The command `breakeven model`: inspect a model's config.json, or add one to the stacks."""
