"""What the user's own replicas were measured to serve: records, and results of load generators."""
