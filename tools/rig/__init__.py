"""A Kubernetes cluster on one machine: a real control plane and autoscalers, simulated machines."""
