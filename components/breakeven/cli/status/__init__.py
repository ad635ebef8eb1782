"""The command `breakeven status`: what a stack's deployment does and costs now."""
