"""Breakeven: self-hosted LLM serving on Kubernetes as Pulumi components, with its full cost.

What other programs may import from here is listed in __init__.pyi, and keeps its parameters within
a minor version. Each name is loaded when it is first used, so that a part of the package that needs
no Pulumi never loads it.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from pathlib import Path

__version__ = "0.2.0"


@cache
def _public() -> dict[str, str]:
    """Returns the module of each public name, as the stub file imports them."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {
        name.name: str(statement.module)
        for statement in stub.body
        if isinstance(statement, ast.ImportFrom)
        for name in statement.names
    }


def __getattr__(name: str) -> object:
    if name == "__all__":
        return sorted(_public())
    if name not in _public():
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_public()[name]), name)
