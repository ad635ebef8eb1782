"""Imports between the rooms of the package point one way; docs/architecture.md shows them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakeven.settings.files import ROOT

PACKAGE = ROOT / "components" / "breakeven"


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


MODULES = {module_of(path): set(imports_of(path)) for path in PACKAGE.rglob("*.py")}


def inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("package", ["pulumi", "pulumi_kubernetes", "grpc"])
def test_facts_and_arithmetic_import_no_pulumi(package: str) -> None:
    for room in ("catalog", "cost", "traffic", "reports", "bundle", "evidence"):
        for module, imported in MODULES.items():
            if inside(module, f"breakeven.{room}"):
                assert not [name for name in imported if inside(name, package)], module


def test_only_the_entry_point_imports_the_program() -> None:
    for module, imported in MODULES.items():
        assert "breakeven.program" not in imported, module
    assert "breakeven.program" in set(imports_of(ROOT / "__main__.py"))


def test_packs_import_rules_and_nothing_else_of_ours() -> None:
    for path in (ROOT / "policies").rglob("*.py"):
        for imported in imports_of(path):
            if inside(imported, "breakeven"):
                assert inside(imported, "breakeven.policy"), path


def test_there_are_no_cycles() -> None:
    graph = {
        module: {name for name in imported if name in MODULES and name != "breakeven"}
        for module, imported in MODULES.items()
    }
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for imported in sorted(graph[module] - {module}):
                visit(imported, (*path, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())
