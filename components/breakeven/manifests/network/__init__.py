"""Namespace and network rules."""
