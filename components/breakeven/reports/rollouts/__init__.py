"""Tables of a candidate on trial."""
