"""Fills in fields that a manifest omits; it never overwrites a field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from breakeven.policy.manifest import ROLES, listed
from breakeven.policy.rule import Remediation

_Change: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def fill_pods(missing: Mapping[str, Any]) -> Remediation:
    """Returns a remediation that adds values to every pod's specification."""
    return lambda manifest: _if_changed(
        manifest, _walked(manifest, lambda pod: _filled(pod, missing))
    )


def fill_containers(missing: Mapping[str, Any]) -> Remediation:
    """Returns a remediation that adds values to every container."""
    return lambda manifest: _if_changed(
        manifest, with_containers(manifest, lambda container: _filled(container, missing))
    )


def _if_changed(before: Mapping[str, Any], after: dict[str, Any]) -> dict[str, Any] | None:
    return None if after == before else after


def with_containers(manifest: Mapping[str, Any], change: _Change) -> dict[str, Any]:
    """Returns a manifest with every container of its pods changed.

    Args:
        manifest: Of any kind.
        change: Takes a container and returns its replacement.
    """

    def pod_with(pod: Mapping[str, Any]) -> Mapping[str, Any]:
        roles = {role: listed(pod.get(role)) for role in ROLES}
        return {
            **pod,
            **{
                role: [change(item) if isinstance(item, Mapping) else item for item in items]
                for role, items in roles.items()
                if items
            },
        }

    after: dict[str, Any] = _walked(manifest, pod_with)
    return after


def _walked(value: Any, change: _Change) -> Any:
    if isinstance(value, Mapping):
        below = {key: _walked(item, change) for key, item in value.items()}
        if any(isinstance(item, Mapping) for role in ROLES for item in listed(below.get(role))):
            return change(below)
        return below
    if isinstance(value, list | tuple):
        return [_walked(item, change) for item in value]
    return value


def _filled(stated: Mapping[str, Any], missing: Mapping[str, Any]) -> dict[str, Any]:
    filled = dict(stated)
    for key, value in missing.items():
        own = filled.get(key)
        if own is None:
            filled[key] = value
        elif isinstance(own, Mapping) and isinstance(value, Mapping):
            filled[key] = _filled(own, value)
    return filled
