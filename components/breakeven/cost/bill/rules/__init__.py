"""The charges of each type token, one module per provider."""
