"""Candidates of a model: what the trial costs, and what the stack costs after it."""
