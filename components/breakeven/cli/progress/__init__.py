"""Progress display in a terminal: a bar of bytes, or elapsed seconds."""
