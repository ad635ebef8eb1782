"""Reads the JSON that Prometheus and OpenCost answer."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from breakeven.cost.reconciliation.observations import ObservedError

Points = list[tuple[float, float]]


def read_series(text: str, name: str) -> list[tuple[Mapping[str, object], Points]]:
    """Reads the labels and points (epoch seconds, value) of `query` or `query_range`.

    Raises:
        ObservedError: It is not such an answer, is empty, or a value is not a number of 0 or more.
    """
    data = read_json(text, name).get("data")
    result = data.get("result") if isinstance(data, dict) else None
    if not isinstance(result, list) or not result:
        msg = f"{name}: no series in it, or no answer of Prometheus. Query it again"
        raise ObservedError(msg)
    found: list[tuple[Mapping[str, object], Points]] = []
    for one in result:
        labels = one.get("metric") if isinstance(one, dict) else None
        if not isinstance(labels, dict):
            msg = f"{name}: a series without labels. Save the answer of Prometheus unchanged"
            raise ObservedError(msg)
        values = one.get("values", [one.get("value")])
        if not isinstance(values, list):
            msg = f"{name}: a series without points. Save the answer of Prometheus unchanged"
            raise ObservedError(msg)
        found.append((labels, [_point(point, name) for point in values]))
    return found


def _point(point: object, name: str) -> tuple[float, float]:
    if not isinstance(point, list) or len(point) != 2:  # noqa: PLR2004 -- time and value
        msg = f"{name}: a point that is not a time and a value. Save Prometheus' answer unchanged"
        raise ObservedError(msg)
    return read_value(point[0], name), read_value(point[1], name)


def read_value(value: object, name: str) -> float:
    """Returns a number of 0 or more, which Prometheus writes as a string.

    Raises:
        ObservedError: It is none.
    """
    try:
        number = float(value)  # type: ignore[arg-type]  # a TypeError is caught
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 <= number < math.inf:
        msg = f"{name}: found {value!r} where a number of 0 or more belongs. Query it again"
        raise ObservedError(msg)
    return number


def read_json(text: str, name: str) -> dict[str, object]:
    """Returns an object of JSON.

    Raises:
        ObservedError: It is none.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        msg = f"{name}: its JSON is malformed or cut off. Save the answer again"
        raise ObservedError(msg) from error
    if not isinstance(document, dict):
        msg = f"{name}: no answer of Prometheus or OpenCost. Save the answer unchanged"
        raise ObservedError(msg)
    return document
