"""The kinds of logs, one module per system that writes them."""
