"""Observed usage and cost compared with an estimate."""
