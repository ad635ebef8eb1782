"""vLLM: weights, replicas, Service."""
