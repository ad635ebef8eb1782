"""Who is who at the gateway: its certificate, and tokens of those who call."""
