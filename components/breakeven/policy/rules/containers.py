"""What rules share: iterating over pods and containers, and reading their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from breakeven.policy.manifest import Container, Pod, Resource, Scope, Unknown, at, mapped
from breakeven.policy.rule import Check, Concern, Violation

_GPUS = re.compile(r"(nvidia|amd)\.com/(gpu|gpu\.shared|mig-\S+)")
"""Resources that are whole GPUs, time slices or MIG instances."""

ContainerTest = Callable[[Container, Pod], Iterator[Violation]]
PodTest = Callable[[Pod], Iterator[Violation]]


def has_pods(resource: Resource, _scope: Scope) -> bool:
    """Tells whether a resource is or makes pods."""
    return bool(resource.pods)


def is_any(_resource: Resource, _scope: Scope) -> bool:
    """Always true: for rules that apply to every resource."""
    return True


def is_kind(*kinds: str) -> Concern:
    """Returns a function that tells whether a resource has one of some kinds."""
    return lambda resource, _scope: resource.kind in kinds


def each_container(
    test: ContainerTest,
    *,
    roles: tuple[str, ...] = (),
    only: Callable[[Container], bool] = lambda _container: True,
) -> Check:
    """Turns a test of one container into a check.

    Args:
        test: Checks one container.
        roles: Roles of the containers; all by default.
        only: Tells whether the test applies to a container.
    """

    def chosen(resource: Resource) -> Iterator[tuple[Container, Pod]]:
        for pod in resource.pods:
            for container in pod.containers():
                if (not roles or container.role in roles) and only(container):
                    yield container, pod

    def check(resource: Resource, _scope: Scope) -> Iterator[Violation]:
        for container, pod in chosen(resource):
            yield from test(container, pod)

    return Check(check, lambda resource, _scope: any(True for _ in chosen(resource)))


def each_pod(test: PodTest) -> Check:
    """Turns a test of one pod into a check."""

    def check(resource: Resource, _scope: Scope) -> Iterator[Violation]:
        for pod in resource.pods:
            yield from test(pod)

    return Check(check, has_pods)


def all_of(*checks: Check) -> Check:
    """Combines several checks into one."""

    def check(resource: Resource, scope: Scope) -> Iterator[Violation]:
        for each in checks:
            yield from each(resource, scope)

    return Check(
        check, lambda resource, scope: any(each.concerns(resource, scope) for each in checks)
    )


def is_one_of(value: Any, *allowed: object) -> bool:
    """Tells whether a value is allowed, or not known yet."""
    return isinstance(value, Unknown) or any(
        value == item and isinstance(value, bool) == isinstance(item, bool) for item in allowed
    )


def is_true(value: Any) -> bool:
    """Tells whether a value is true, or not known yet."""
    return value is True or isinstance(value, Unknown)


def is_false(value: Any) -> bool:
    """Tells whether a value is false, or not known yet."""
    return value is False or isinstance(value, Unknown)


def is_off(value: Any) -> bool:
    """Tells whether a value is false, not set, or not known yet."""
    return value is None or is_false(value)


def of_pod(pod: Pod, *path: str) -> Iterator[tuple[str, Any]]:
    """Yields a value of the pod's security context, which the standard covers as well."""
    value = at(pod.spec, "securityContext", *path)
    if value is not None:
        where = f"{pod.path}.securityContext" if pod.path else "securityContext"
        yield f"{where}.{'.'.join(path)}", value


def shown(value: Any) -> str:
    """Returns a value for a message; "not set" for a missing one."""
    if value is None:
        return "not set"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004  # a line of a table


def effective(container: Container, pod: Pod, *path: str) -> Any:
    """Returns a value of the security context: the container's own, else the pod's."""
    own = at(container.spec, "securityContext", *path)
    return own if own is not None else at(pod.spec, "securityContext", *path)


def asked_gpus(container: Container) -> list[str]:
    """Returns the resources of a container that are GPUs."""
    sections = [at(container.spec, "resources", each) for each in ("requests", "limits")]
    stated = {str(name) for section in sections for name in mapped(section)}
    return sorted(name for name in stated if _GPUS.fullmatch(name))


def handlers(container: Container) -> Iterator[tuple[str, Any]]:
    """Yields a container's probes and lifecycle hooks, each with its path."""
    for key in ("startupProbe", "readinessProbe", "livenessProbe"):
        if container.spec.get(key) is not None:
            yield key, container.spec[key]
    for key, hook in mapped(container.spec.get("lifecycle")).items():
        yield f"lifecycle.{key}", hook
