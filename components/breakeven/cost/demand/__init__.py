"""The load of a week."""
