"""Measure whether tests notice changes of the modules that compute money.

Works on copies, one of each module and as many at once as there are processors. A mutant is one
operator, number or keyword changed; it is killed where a test fails or hangs. Survivors are
printed, to be looked at. Changes of annotations and decorators are not counted: no result depends
on them.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0:1] = [str(ROOT / "tools")]

from bootstrap.environments import environment  # noqa: E402 (the path had to be set first)

MODULES = {
    "break_even": ("cost/break_even", "cost/test_break_even"),
    "bill": ("cost/bill/bill", "cost/bill/test_bill cost/test_estimate"),
    "by_model": ("cost/bill/by_model", "cost/bill/test_by_model"),
    "calendar": ("cost/calendar", "cost/test_calendar cost/bill/test_node_cost"),
    "formatting": ("reports/formatting", "reports/test_formatting"),
    "hybrid": ("cost/hybrid", "cost/test_hybrid"),
    "line_item": ("cost/bill/line_item", "cost/bill/test_line_item"),
    "load": ("cost/demand/load", "cost/demand/test_load"),
    "load_duration": ("cost/demand/load_duration", "cost/demand/test_load_duration"),
    "node_cost": ("cost/bill/node_cost", "cost/bill/test_node_cost cost/test_published_cases"),
    "price": ("catalog/price", "catalog/test_price catalog/test_price_book"),
    "money": ("money", "test_money"),
    "pricing": ("cost/bill/pricing", "cost/bill/test_pricing cost/bill/test_shared_costs"),
    "recommendation": ("cost/recommendation", "cost/test_recommendation"),
    "usage": ("cost/bill/usage", "cost/bill/test_pricing cost/bill/test_rules"),
    "shared_costs": ("cost/bill/shared_costs", "cost/bill/test_shared_costs"),
}
"""Modules that compute money, by name: each in components/breakeven, its tests in tests/unit."""

_COPIED = ("components", "tests", "charts", "stacks", "policies")
_FILES = ("Pulumi.yaml", "pyproject.toml", "README.md")
_TIMEOUT_SECONDS = 60


def main() -> int:
    """Mutate the named modules and print the score of each."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  python3 tools/bootstrap run python tools/mutation bill price",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("modules", nargs="*", choices=[*MODULES, []], help="default: all")
    chosen = parser.parse_args().modules or list(MODULES)
    installed = environment(
        "mutation", ROOT / "tools" / "mutation" / "requirements.txt", contents="cosmic-ray"
    )
    killed: Counter[str] = Counter()
    survived: defaultdict[str, list[str]] = defaultdict(list)
    with (
        tempfile.TemporaryDirectory(prefix="mutation-") as scratch,
        ThreadPoolExecutor(max_workers=os.cpu_count()) as pool,
    ):

        def judge(module: str) -> list[tuple[str, str]]:
            return list(_mutants(Path(scratch) / module, installed, module))

        for module, outcomes in zip(chosen, pool.map(judge, chosen), strict=True):
            for outcome, where in outcomes:
                if outcome == "survived":
                    survived[module].append(where)
                else:
                    killed[module] += 1
            _tell(module, killed[module], survived[module])
    _tell("together", killed.total(), [where for each in survived.values() for where in each])
    return 0


def _copy(folder: Path) -> None:
    folder.mkdir()
    for name in _COPIED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in _FILES:
        shutil.copyfile(ROOT / name, folder / name)


def _mutants(folder: Path, installed: Path, module: str) -> Iterator[tuple[str, str]]:
    """Yields the outcome of each mutant of a module, in a copy of its own, and where it was."""
    _copy(folder)
    path, tested = MODULES[module]
    source = f"components/breakeven/{path}.py"
    tests = " ".join(f"tests/unit/{name}.py" for name in tested.split())
    options = "-x -q -p no:cacheprovider --hypothesis-profile=unshrunk"
    command = f"{sys.executable} -m pytest {options} {tests}"
    config = folder / f"{module}.toml"
    config.write_text(
        "[cosmic-ray]\n"
        f'module-path = "{source}"\n'
        f"timeout = {_TIMEOUT_SECONDS}.0\n"
        "excluded-modules = []\n"
        f'test-command = "{command}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n',
        encoding="utf-8",
    )
    session = folder / f"{module}.sqlite"
    program = str(installed / "bin" / "cosmic-ray")
    # What does not change is compiled once. A mutant must not be: it is written within the second
    # in which the one before it was, and Python tells them apart by the second.
    unset = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command.split(), cwd=folder, env=unset, check=True, stdout=subprocess.DEVNULL)
    environ = {**unset, "PYTHONDONTWRITEBYTECODE": "1"}
    for step in (["init", config, session], ["exec", config, session]):
        subprocess.run([program, *map(str, step)], cwd=folder, env=environ, check=True)
    dumped = subprocess.run(
        [program, "dump", str(session)], cwd=folder, capture_output=True, text=True, check=True
    )
    skipped = _without_result(folder / source)
    for text in dumped.stdout.splitlines():
        item, result = json.loads(text)
        [mutation] = item["mutations"]
        line, column = mutation["start_pos"]
        if any(start <= (line, column) < end for start, end in skipped):
            continue
        operator = mutation["operator_name"].rpartition("/")[2]
        yield result["test_outcome"], f"{module}.py:{line}:{column} {operator}"


def _without_result(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Returns from where to where annotations and decorators go."""
    nodes: list[ast.expr] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            nodes += node.decorator_list
        annotations = (getattr(node, name, None) for name in ("annotation", "returns"))
        nodes += [found for found in annotations if found is not None]
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for node in nodes
    ]


def _tell(name: str, killed: int, survivors: list[str]) -> None:
    total = killed + len(survivors)
    print(f"{name}: {killed} of {total} mutants killed, {killed / max(1, total):.0%}", flush=True)
    if name != "together":
        for where in survivors:
            print(f"  survived: {where}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
