"""What the process that plans a program answers."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.manifests.resource import Component


@dataclass(frozen=True, slots=True)
class Checked:
    """What a stack without mistakes deploys.

    Attributes:
        components: The namespace first.
        undeployable: Why it can be estimated and not deployed; empty if it can be deployed.
    """

    components: tuple[Component, ...]
    undeployable: str


@dataclass(frozen=True, slots=True)
class ProgramReport:
    """The estimate of what a program registers, in every form that the program needs.

    Attributes:
        text: The tables of a preview.
        figures: All figures, as the inputs of a resource.
        outputs: Outputs of the stack: its endpoint, how an update proceeds, a summary of the cost.
        planned_cost: Components with the figures of each model, for Prometheus.
        components: The stack's components again, if some need the price of a token: a
            gateway's budgets; otherwise empty.
    """

    text: str
    figures: dict[str, object]
    outputs: dict[str, object]
    planned_cost: tuple[Component, ...]
    components: tuple[Component, ...]
