"""Which charges a type token stands for, one module per provider."""
