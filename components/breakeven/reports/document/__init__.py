"""A report as JSON: what it holds, how it is written and read back, and its schema."""
