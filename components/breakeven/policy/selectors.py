"""Label selectors, as Kubernetes evaluates them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from breakeven.policy.manifest import Unknown, at, listed, mapped

NAMESPACE_LABEL = "kubernetes.io/metadata.name"
"""The label with the name of every namespace, which Kubernetes sets."""


def is_empty(selector: Any) -> bool:
    """Tells whether a selector is empty, and so selects everything."""
    return not mapped(at(selector, "matchLabels")) and not listed(at(selector, "matchExpressions"))


def names_values(selector: Any) -> bool:
    """Tells whether a selector requires a value of a label, which `Exists` and `NotIn` do not."""
    named = any(
        at(expression, "operator") == "In"
        for expression in listed(at(selector, "matchExpressions"))
    )
    return named or bool(mapped(at(selector, "matchLabels"))) or isinstance(selector, Unknown)


def matches(selector: Any, labels: Mapping[str, Any]) -> bool:
    """Tells whether a selector matches these labels; an empty one matches everything.

    A label whose value is not known yet matches.
    """
    wanted = mapped(at(selector, "matchLabels"))
    return all(_equal(labels.get(key), value) for key, value in wanted.items()) and all(
        _holds(expression, labels) for expression in listed(at(selector, "matchExpressions"))
    )


def _equal(value: Any, wanted: Any) -> bool:
    return isinstance(value, Unknown) or isinstance(wanted, Unknown) or value == wanted


def _holds(expression: Any, labels: Mapping[str, Any]) -> bool:
    key, values = str(at(expression, "key")), listed(at(expression, "values"))
    if isinstance(labels.get(key), Unknown):
        return True
    match at(expression, "operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
