"""Measurements of the user's own replicas: records, and results of load generators."""
