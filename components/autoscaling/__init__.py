"""Scaling of replicas by KEDA."""

from __future__ import annotations

from components.autoscaling.component import Autoscaling

__all__ = ["Autoscaling"]
