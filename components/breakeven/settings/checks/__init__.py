"""Checks of settings that involve several groups."""
