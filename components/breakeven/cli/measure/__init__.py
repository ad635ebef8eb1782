"""The command `breakeven measure`: what one replica serves, measured or imported."""
