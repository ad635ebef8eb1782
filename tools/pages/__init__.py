"""Builds the pages of docs/."""
