"""What a kind of observation is: how its file is recognized, and what reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from breakeven.cost.calendar import Calendar
from breakeven.cost.reconciliation.observations import Observed


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialReplicas:
    """Replicas of a candidate on nodes that are paid for it.

    Attributes:
        name: Of its Deployment.
        replicas_per_node: Its replicas that fill a node.
        nodes: Nodes planned for it.
    """

    name: str
    replicas_per_node: int
    nodes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What of the stack decides how its observations are read.

    Attributes:
        now: Time after which no point can be.
        calendar: How long a month is.
        replicas_per_node: Replicas that fill a node.
        nodes_per_replica: Nodes that a replica spans, where it spans several.
        namespace: Of the stack.
        trial: Replicas of a candidate; None without one, and where no node is paid for it.
    """

    now: datetime
    calendar: Calendar
    replicas_per_node: int = 1
    nodes_per_replica: int = 1
    namespace: str = ""
    trial: TrialReplicas | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes:
        name: As --kind takes it.
        recognizes: Tells by its text whether a file is of this kind.
        read: Reads a file from its text and its name; raises ObservedError.
        is_ambiguous: Whether an answer of Prometheus may be of this kind without a metric's name.
    """

    name: str
    recognizes: Callable[[str], bool]
    read: Callable[[str, str, Deployment], Observed]
    is_ambiguous: bool = False


def has_metric(text: str, *names: str) -> bool:
    """Tells whether a text is an answer of Prometheus with one of the metrics.

    Args:
        text: Of the file.
        names: Of the metrics, or how they begin.
    """
    return '"resultType"' in text and any(f'"{name}' in text for name in names)
