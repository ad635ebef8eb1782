"""The rules, one module for each concern; `breakeven.policy.registry` gathers them."""
