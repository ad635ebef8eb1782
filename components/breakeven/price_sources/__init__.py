"""Price lists over the network: which sources there are, what each needs, and how it is read."""
