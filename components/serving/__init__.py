"""vLLM: weights, replicas, Service."""

from __future__ import annotations

from components.serving.component import VllmServing

__all__ = ["VllmServing"]
