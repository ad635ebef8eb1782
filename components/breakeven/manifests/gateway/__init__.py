"""The gateway in front of the model: one address, teams' keys and budgets, overflow to an API."""
