"""How well endpoints answer, and what a solved task costs."""
