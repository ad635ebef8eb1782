"""The command `breakeven status`: what a stack's deployment does now, and what it costs."""
