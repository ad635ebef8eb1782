"""All checks, in the order in which they run."""

from __future__ import annotations

from breakeven.cluster.preflight.check import Check
from breakeven.cluster.preflight.checks import (
    admission,
    definitions,
    gpu_nodes,
    monitoring,
    namespaces,
    probes,
    server,
    storage,
)

CHECKS: tuple[Check, ...] = (
    *server.CHECKS,
    *definitions.CHECKS,
    *namespaces.CHECKS,
    *admission.CHECKS,
    *storage.CHECKS,
    *gpu_nodes.CHECKS,
    *monitoring.CHECKS,
    *probes.CHECKS,
)
