"""The load of `breakeven measure --in-cluster`: a Job next to the replica, removed at the end."""
