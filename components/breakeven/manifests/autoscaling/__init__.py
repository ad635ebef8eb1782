"""Scaling of replicas by KEDA."""
