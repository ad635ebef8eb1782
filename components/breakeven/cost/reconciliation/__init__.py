"""What happened, compared with an estimate."""
