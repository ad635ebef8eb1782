"""Readers of outside files with prices of machines, one a module, and how they are merged."""
