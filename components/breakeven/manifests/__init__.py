"""Kubernetes manifests of a stack as plain data, from its settings."""
