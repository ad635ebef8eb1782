"""Takes a bare machine with Python, Go and package registries to a working `pulumi preview`."""
