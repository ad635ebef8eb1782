"""vLLM: weights, replicas, Service."""

from __future__ import annotations

from breakeven.manifests.serving.component import VllmServing

__all__ = ["VllmServing"]
