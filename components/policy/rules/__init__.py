"""The rules, one module for each concern; `components.policy.registry` gathers them."""
