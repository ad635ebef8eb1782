"""Envoy's extensions as plain data."""

from __future__ import annotations

from typing import Any

_TYPES = "type.googleapis.com/envoy."


def message(kind: str, **fields: object) -> dict[str, Any]:
    """Returns an extension's configuration.

    Args:
        kind: Its type below `envoy.`, such as "extensions.filters.http.lua.v3.Lua".
        fields: Its fields.
    """
    return {"@type": f"{_TYPES}{kind}", **fields}


def extension(name: str, kind: str, **fields: object) -> dict[str, Any]:
    """Returns an extension by name; arguments as in `message`."""
    return {"name": name, "typed_config": message(kind, **fields)}


def address(host: str, port: int) -> dict[str, Any]:
    """Returns a socket's address."""
    return {"socket_address": {"address": host, "port_value": port}}


def exactly(name: str, value: str) -> dict[str, Any]:
    """Matches a header by its whole value; repeated headers never match."""
    return {"name": name, "string_match": {"exact": value}}


def noted(name: str) -> str:
    """Returns the log format of our programs' metadata."""
    return f"%DYNAMIC_METADATA(gateway:{name})%"
