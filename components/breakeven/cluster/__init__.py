"""A running cluster: what a stack needs of it, and what it does now. Read-only unless asked."""
