"""The rooms of the package `breakeven`, and which room imports which."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "components" / "breakeven"

FOUNDATIONS = "foundations"
"""All modules that lie directly in the package and import no room."""


def folders() -> list[str]:
    """Return every folder of the package that holds modules, relative to it; itself is left out."""
    found = {str(path.parent.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")}
    return sorted(found - {"."})


def purpose(folder: str) -> str:
    """Return the line that says what a folder is for: the first one of its docstring.

    Args:
        folder: Relative to the package, such as "cost/bill".
    """
    return _first_line(PACKAGE / folder / "__init__.py")


def modules() -> Mapping[str, str]:
    """Return the purpose of each module that lies directly in the package, by file name."""
    files = sorted(path for path in PACKAGE.glob("*.py") if path.name != "__init__.py")
    return {file.name: _first_line(file) for file in files}


@cache
def foundations() -> tuple[str, ...]:
    """Return the modules of the package that import no room, such as errors."""
    loose = {file.removesuffix(".py") for file in modules()}
    return tuple(sorted(name for name in loose if _imports(name) <= loose))


@cache
def arrows() -> Mapping[str, frozenset[str]]:
    """Return which rooms each room imports; foundations count as one room."""
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    rooms |= {file.removesuffix(".py") for file in modules()} - set(foundations())
    found = {room: frozenset(map(_room, _imports(room))) - {room} for room in rooms}
    return {**found, FOUNDATIONS: frozenset()}


def _room(name: str) -> str:
    return FOUNDATIONS if name in foundations() else name


def _imports(name: str) -> frozenset[str]:
    """Return the names below `breakeven` that a room or a loose module imports."""
    folder = PACKAGE / name
    files = folder.rglob("*.py") if folder.is_dir() else [PACKAGE / f"{name}.py"]
    return frozenset(part for file in files for part in _imported(file)) - {name}


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == PACKAGE.name:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            package, _, rest = name.partition(".")
            if package == PACKAGE.name and rest:
                yield rest.split(".")[0]


def _first_line(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]
