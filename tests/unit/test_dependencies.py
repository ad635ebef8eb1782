"""Imports between the rooms of the package point one way, and pure rooms never load Pulumi.

A room is a module or folder right below the package; docs/architecture.md shows them.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from breakeven.settings.files import ROOT

PACKAGE = ROOT / "components" / "breakeven"

FOUNDATIONS = frozenset(
    {
        "errors",
        "addresses",
        "child_process",
        "counts",
        "documents",
        "json_stream",
        "money",
        "percentiles",
        "preflight_hint",
        "printable",
        "proportions",
        "suggestions",
        "type_tokens",
        "version",
        "yaml_documents",
    }
)
ARROWS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(FOUNDATIONS, frozenset()),
    "catalog": frozenset(),
    "price_sources": frozenset({"catalog"}),
    "traffic": frozenset(),
    "bills": frozenset(),
    "measurements": frozenset(),
    "evaluation": frozenset({"measurements"}),
    "cost": frozenset({"bills", "catalog", "traffic"}),
    "settings": frozenset({"catalog"}),
    "manifests": frozenset({"catalog", "settings"}),
    "policy": frozenset({"settings"}),
    "bundle": frozenset({"cost", "settings"}),
    "evidence": frozenset({"bundle", "cost", "policy", "settings"}),
    "planning": frozenset(
        {"catalog", "cost", "evaluation", "manifests", "measurements", "policy", "settings"}
    ),
    "cluster": frozenset({"catalog", "cost", "manifests", "policy", "settings"}),
    "reports": frozenset({"bills", "catalog", "cost"}),
    "web": frozenset({"catalog", "cost", "planning", "reports", "settings"}),
    "resources": frozenset({"catalog", "cost", "manifests", "reports", "settings"}),
    "program_plan": frozenset({"catalog", "cost", "manifests", "planning", "reports", "settings"}),
    "program": frozenset({"program_plan", "resources"}),
    "cli": frozenset(
        {
            "bills",
            "bundle",
            "catalog",
            "cluster",
            "cost",
            "evaluation",
            "evidence",
            "manifests",
            "measurements",
            "planning",
            "policy",
            "price_sources",
            "reports",
            "settings",
            "traffic",
            "web",
        }
    ),
}
"""Which rooms each room may import, apart from the foundations; those import only each other."""

WITH_PULUMI = {"program", "resources"}
"""Rooms that may load Pulumi; all others load neither it nor gRPC, not even through others."""

SERVING = {"breakeven.policy.pack", "breakeven.policy.proxies"}
"""Modules of the policy packs that Pulumi's engine starts; they may load it too."""


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
IN_ROOMS = [module for module in MODULES if module != "breakeven"]


def inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def room_of(module: str) -> str:
    return module.split(".")[1]


MOST_MODULES = 20
MOST_LINES = 350


def test_no_folder_has_more_modules_than_a_reader_can_scan() -> None:
    folders = Counter(path.parent for path in PACKAGE.rglob("*.py") if path.stem != "__init__")
    full = {str(folder): count for folder, count in folders.items() if count > MOST_MODULES}
    assert not full, f"more than {MOST_MODULES} modules: {full}"


def test_no_module_is_longer_than_a_reader_can_keep_in_mind() -> None:
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    long = {str(path): count for path, count in lines.items() if count >= MOST_LINES}
    assert not long, f"{MOST_LINES} lines or more: {long}"


def test_every_room_says_what_it_may_import() -> None:
    assert {room_of(module) for module in IN_ROOMS} == set(ARROWS)


def test_rooms_import_only_what_is_allowed() -> None:
    for module in IN_ROOMS:
        allowed = ARROWS[room_of(module)] | FOUNDATIONS | {room_of(module)}
        rooms = {room_of(name) for name in MODULES[module] if name in IN_ROOMS}
        assert rooms <= allowed, f"{module} imports from {sorted(rooms - allowed)}"


def test_there_are_no_cycles_between_rooms() -> None:
    TopologicalSorter(ARROWS).prepare()  # raises CycleError


def test_there_are_no_cycles_between_modules() -> None:
    graph = {
        module: {name for name in imported if name in MODULES} - {module, "breakeven"}
        for module, imported in MODULES.items()
    }
    TopologicalSorter(graph).prepare()


def _reach_the_cluster() -> set[str]:
    """The modules that import the room of the cluster, even through others."""
    found = {module for module in MODULES if inside(module, "breakeven.cluster")}
    while more := {m for m, imported in MODULES.items() if imported & found} - found:
        found |= more
    return found


@pytest.mark.parametrize("room", sorted(set(ARROWS) - WITH_PULUMI))
def test_pure_rooms_load_no_pulumi_and_no_cluster_client(room: str) -> None:
    modules = [name for name in IN_ROOMS if room_of(name) == room and name not in SERVING]
    talking = _reach_the_cluster()  # commands that run against a cluster load its client
    modules.sort(key=lambda name: (name in talking, name))
    script = (
        "import importlib, sys\n"
        "unwanted = {'pulumi', 'pulumi_kubernetes', 'grpc', 'kubernetes'}\n"
        f"talking = {talking}\n"
        "for module in sys.argv[1:]:\n"
        "    importlib.import_module(module)\n"
        "    unwanted -= {'kubernetes'} if module in talking else set()\n"
        "    loaded = unwanted & set(sys.modules)\n"
        "    assert not loaded, f'{module} loads {sorted(loaded)}'\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *modules], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_only_commands_import_the_cluster() -> None:
    for module, imported in MODULES.items():
        if room_of(f"{module}.") not in {"cli", "cluster"}:
            assert not any(inside(name, "breakeven.cluster") for name in imported), module


def test_only_the_entry_point_imports_the_program() -> None:
    for module, imported in MODULES.items():
        assert "breakeven.program" not in imported, module
    assert "breakeven.program" in set(imports_of(ROOT / "__main__.py"))


def test_packs_import_only_rules_from_this_project() -> None:
    for path in (ROOT / "policies").rglob("*.py"):
        for imported in imports_of(path):
            if inside(imported, "breakeven"):
                assert imported.startswith(("breakeven.policy", "breakeven.type_tokens")), path
