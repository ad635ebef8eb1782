"""What a stack states, its limits and its checks."""
