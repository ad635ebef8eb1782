"""Scaling of replicas by KEDA."""

from __future__ import annotations

from breakeven.manifests.autoscaling.component import Autoscaling

__all__ = ["Autoscaling"]
