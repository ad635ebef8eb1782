"""Candidates at the gateway: their share of the requests, and where it goes next."""
