"""Price lists over the network: the sources, their requirements, and their readers."""
