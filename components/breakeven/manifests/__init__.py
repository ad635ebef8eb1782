"""Settings to Kubernetes resources."""
