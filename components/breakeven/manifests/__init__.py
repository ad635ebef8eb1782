"""Settings to Kubernetes resources, as plain data."""
