"""What is said of a stack file with mistakes: what was found, what is allowed, the new key."""
