"""Who is who at the gateway: certificates, tokens of those who call, and the APIs behind it."""
