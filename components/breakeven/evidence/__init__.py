"""What a compliance team files: what is deployed, from which bundle, by whose rules."""
