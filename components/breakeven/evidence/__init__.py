"""What a compliance team files: what is deployed, who may call it, from which bundle."""
