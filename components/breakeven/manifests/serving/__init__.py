"""vLLM: weights, replicas, rollouts, and the Service that clients call."""
