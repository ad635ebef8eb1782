"""Whether answers are good enough: prompts with checks, put to endpoints, into a record."""
