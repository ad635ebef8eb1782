"""The checks, one module for each concern; `breakeven.cluster.preflight.registry` gathers them."""
