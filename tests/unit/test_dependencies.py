"""Dependencies point one way: __main__, stack, deployment, components, settings, cost's facts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.project import ROOT

COMPONENTS = ROOT / "components"
PACKAGE = "components"
WIRING = {"components.stack", "components.deployment"}
FACTS = {
    "components.cost.models",
    "components.cost.gpus",
    "components.cost.capacity",
}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module or ""


MODULES = {module_of(path): set(imports_of(path)) for path in COMPONENTS.rglob("*.py")}


def inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize(
    "module", sorted(name for name in MODULES if inside(name, "components.cost"))
)
def test_cost_imports_nothing_of_ours_outside_itself_and_no_pulumi_but_the_ledger(
    module: str,
) -> None:
    for imported in MODULES[module]:
        if inside(imported, "components"):
            assert inside(imported, "components.cost"), imported
        if module != "components.cost.ledger":
            assert not inside(imported, "pulumi")
            assert not inside(imported, "pulumi_kubernetes")


@pytest.mark.parametrize(
    "module", sorted(name for name in MODULES if inside(name, "components.policy"))
)
def test_rules_know_manifests_and_nothing_of_the_kit_and_only_the_pack_knows_pulumi(
    module: str,
) -> None:
    for imported in MODULES[module]:
        if inside(imported, "components"):
            own = inside(imported, "components.policy")
            allowed = {"components.errors", "components.manifest_yaml", "components.project"}
            assert own or imported in allowed, imported
        if module not in {"components.policy.pack", "components.policy.proxies"}:
            for package in ("pulumi", "pulumi_policy", "pulumi_kubernetes"):
                assert not inside(imported, package)


def test_packs_import_rules_and_cost_and_nothing_else_of_ours() -> None:
    for path in (ROOT / "policies").rglob("*.py"):
        for imported in imports_of(path):
            if inside(imported, "components"):
                allowed = ("components.policy", "components.cost")
                assert any(inside(imported, package) for package in allowed), path


def test_only_the_entry_point_imports_the_program() -> None:
    for module, imported in MODULES.items():
        assert "components.stack" not in imported, module
    assert "components.stack" in set(imports_of(ROOT / "__main__.py"))


def test_only_programs_import_deployment_and_costing() -> None:
    importers = {
        "components.deployment": {"components.stack", "components.offline"},
        "components.costing": {"components.stack", "components.offline", "components.cli"},
        "components.offline": {"components.cli"},
        "components.mock_monitor": {"components.offline"},
    }
    for wired, allowed in importers.items():
        for module, imported in MODULES.items():
            # The package itself names it for other programs, and loads it when it is asked for.
            if wired in imported and module != PACKAGE:
                assert any(inside(module, importer) for importer in allowed), module


@pytest.mark.parametrize(
    "package", ["gpu_pool", "serving", "gateway", "autoscaling", "monitoring", "network"]
)
def test_components_do_not_know_prices_nor_who_wires_them(package: str) -> None:
    for module, imported in MODULES.items():
        if inside(module, f"components.{package}"):
            assert not imported & WIRING, module
            for name in imported:
                assert not inside(name, "components.cost") or name in FACTS, f"{module}: {name}"


def test_bundle_knows_what_is_registered_and_no_wiring_and_no_pulumi() -> None:
    allowed = {
        "components.cost.quantities",
        "components.errors",
        "components.manifest_yaml",
        "components.settings_groups",
        "components.settings_types",
    }
    readers = ("components.cli", "components.evidence")
    for module, imported in MODULES.items():
        if inside(module, "components.bundle"):
            for name in imported:
                assert not inside(name, "pulumi"), module
                own = inside(name, "components") and not inside(name, "components.bundle")
                assert not own or name in allowed, f"{module}: {name}"
        elif not any(inside(module, reader) for reader in readers):
            assert not [name for name in imported if inside(name, "components.bundle")], module


def test_only_settings_reads_configuration() -> None:
    readers = ("components.settings", "components.settings_", "components.costing")
    for module, imported in MODULES.items():
        if "components.config_reader" in imported:
            assert module.startswith(readers), module
    for path in COMPONENTS.rglob("*.py"):
        assert "pulumi.Config(" not in path.read_text(encoding="utf-8"), path


def test_there_are_no_cycles() -> None:
    graph = {
        module: {name for name in imported if name in MODULES}
        for module, imported in MODULES.items()
    }
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for imported in sorted(graph[module]):
                visit(imported, (*path, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())
