"""Everything that a stack needs, as one signed bundle that is carried into a closed network."""
