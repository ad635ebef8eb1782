"""What a stack deploys, as the ledger holds it: the same entries without an engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from breakeven.cost.bill.registered import GPU_POOL, Registered
from breakeven.manifests.resource import Component, Resource


def ledger_entries(components: Iterable[Component]) -> tuple[Registered, ...]:
    """Returns what is priced, by type and name, so that order is reproducible.

    A component costs what its resources cost, except for the GPU pool, whose nodes are not
    resources of the program.
    """
    entries = [entry for component in components for entry in _entries(component)]
    return tuple(sorted(entries, key=lambda entry: (entry.type, entry.name)))


def entries_started_last(components: Iterable[Component]) -> tuple[Registered, ...]:
    """Returns what a program registers after the estimate, since it needs the price of a token."""
    return tuple(
        entry_of(resource) for component in components for resource in component.started_last
    )


def entry_of(resource: Resource) -> Registered:
    """Returns a manifest as the ledger holds it."""
    return Registered(resource.name, resource.type, resource.manifest)


def _entries(component: Component) -> Iterator[Registered]:
    if component.type == GPU_POOL:
        yield Registered(component.name, component.type, component.inputs)
    for resource in (*component.resources, *component.started_last):
        yield entry_of(resource)
