"""Compliance evidence: deployed resources, callers, and bundle."""
