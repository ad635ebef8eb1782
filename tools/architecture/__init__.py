"""The map of the package, drawn from its code: what every folder is for, and who imports whom."""
