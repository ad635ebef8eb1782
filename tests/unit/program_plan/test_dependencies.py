"""The digest of a plan takes in everything that the plan depends on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from breakeven.program_plan import dependencies
from breakeven.program_plan.dependencies import CHECKOUT, PACKAGE, digest_of
from breakeven.settings.files import stack_values

CONFIGURATION = {"breakeven:pool": '{"gpu": "l4"}', "aws:region": "eu-central-1"}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small checkout, in which the program runs."""
    package = tmp_path / "checkout" / "components" / "breakeven"
    for name in ("cost/estimate.py", "catalog/data/prices/aws.csv"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("1\n", encoding="utf-8")
    root = package.parents[1]
    for name in ("stacks/Pulumi.dev.yaml", "charts/rules.yaml.j2", "Pulumi.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("1\n", encoding="utf-8")
    monkeypatch.setattr(dependencies, "PACKAGE", package)
    monkeypatch.setattr(dependencies, "CHECKOUT", root)
    monkeypatch.chdir(root)
    return root


def test_nothing_changed_is_the_same_digest(checkout: Path) -> None:
    assert checkout.is_dir()
    assert digest_of("dev", CONFIGURATION) == digest_of(
        "dev", dict(reversed(CONFIGURATION.items()))
    )


def test_each_change_of_a_file_is_another_digest(checkout: Path) -> None:
    seen = [digest_of("dev", CONFIGURATION)]

    def then(path: str, content: str | None) -> None:
        file = checkout / path
        if content is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        seen.append(digest_of("dev", CONFIGURATION))

    then("stacks/Pulumi.dev.yaml", "2\n")
    then("stacks/prices/aws.csv", "a new file\n")
    then("stacks/prices/aws.csv", "a new File\n")
    then("stacks/measurements/one.json", "{}")
    then("stacks/evaluations/one.json", "{}")
    then("stacks/models/mine/config.json", "{}")
    then("stacks/waivers/mine.yaml", "[]")
    then("stacks/templates/mine.jinja", "x")
    then("stacks/traffic/week.csv", "1")
    then("stacks/traffic/week.csv", None)
    then("components/breakeven/catalog/data/prices/aws.csv", "2\n")
    then("components/breakeven/catalog/data/prices/new.csv", "1\n")
    then("components/breakeven/cost/estimate.py", "2\n")
    then("components/breakeven/cost/new.py", "1\n")
    then("components/breakeven/cost/new.py", None)
    then("charts/rules.yaml.j2", "2\n")
    then("charts/new.j2", "1\n")
    then("Pulumi.yaml", "2\n")
    assert None not in seen
    assert len(set(seen[:9])) == 9
    assert all(one != following for one, following in pairwise(seen))


def test_a_content_that_changes_without_its_times_and_size_is_another_digest(
    checkout: Path,
) -> None:
    file = checkout / "stacks" / "Pulumi.dev.yaml"
    before, info = digest_of("dev", CONFIGURATION), file.stat()
    file.write_text("9\n", encoding="utf-8")
    os.utime(file, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert digest_of("dev", CONFIGURATION) != before


def test_each_change_of_the_configuration_is_another_digest(checkout: Path) -> None:
    assert checkout.is_dir()
    digests = [
        digest_of("dev", CONFIGURATION),
        digest_of("prod", CONFIGURATION),
        digest_of("dev", {**CONFIGURATION, "breakeven:pool": '{"gpu": "l40s"}'}),
        digest_of("dev", {**CONFIGURATION, "breakeven:api": "{}"}),
        digest_of("dev", {**CONFIGURATION, "breakevn:api": "{}"}),
    ]
    assert len(set(digests)) == len(digests)


def test_a_provider_s_value_does_not_count(checkout: Path) -> None:
    """It may be a secret, and no estimate reads it."""
    assert checkout.is_dir()
    other = {**CONFIGURATION, "aws:region": "us-east-1"}
    assert digest_of("dev", other) == digest_of("dev", CONFIGURATION)


def test_another_day_python_folder_or_variable_is_another_digest(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = [digest_of("dev", CONFIGURATION)]

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # only tz=UTC is used
            assert tz is UTC
            return datetime.now(tz=UTC) + timedelta(days=1)

    with monkeypatch.context() as patched:
        patched.setattr(dependencies, "datetime", Tomorrow)
        digests.append(digest_of("dev", CONFIGURATION))
    with monkeypatch.context() as patched:
        patched.setattr(sys, "version", "3.99")
        digests.append(digest_of("dev", CONFIGURATION))
    with monkeypatch.context() as patched:
        patched.setenv("PYTHONPATH", "elsewhere")
        digests.append(digest_of("dev", CONFIGURATION))
    with monkeypatch.context() as patched:
        patched.chdir(checkout / "charts")
        digests.append(digest_of("dev", CONFIGURATION))
    assert len(set(digests)) == len(digests)


def test_another_installed_package_is_another_digest(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = checkout.parent / "packages"
    prices = packages / "genai_prices"
    prices.mkdir(parents=True)
    (prices / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(packages)])
    # One that another test imported would be found before any folder is searched.
    monkeypatch.delitem(sys.modules, "genai_prices", raising=False)
    digests = [digest_of("dev", CONFIGURATION)]
    (packages / "numpy-9.9.dist-info").mkdir()
    digests.append(digest_of("dev", CONFIGURATION))
    (prices / "data.py").write_text("1", encoding="utf-8")
    digests.append(digest_of("dev", CONFIGURATION))
    assert len(set(digests)) == len(digests)


def test_what_python_compiled_is_no_change(checkout: Path) -> None:
    before = digest_of("dev", CONFIGURATION)
    compiled = checkout / "components" / "breakeven" / "cost" / "__pycache__"
    compiled.mkdir()
    (compiled / "estimate.cpython-311.pyc").write_bytes(b"1")
    assert digest_of("dev", CONFIGURATION) == before


def test_a_folder_with_too_much_to_read_has_no_digest(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dependencies, "MOST_BYTES", 10)
    (checkout / "stacks" / "big.jsonl").write_text("x" * 11, encoding="utf-8")
    assert digest_of("dev", CONFIGURATION) is None


def test_stacks_of_a_folder_above_the_current_one_count(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed package takes the nearest one."""
    here = checkout.parent / "elsewhere" / "below"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    before = digest_of("dev", CONFIGURATION)
    (here.parent / "stacks").mkdir()
    (here.parent / "stacks" / "Pulumi.mine.yaml").write_text("", encoding="utf-8")
    assert digest_of("dev", CONFIGURATION) != before


READ = """
import io, json, os, sys
opened = set()
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.add(os.path.realpath(arguments[0]))
    elif event in ("os.listdir", "os.scandir") and isinstance(arguments[0], str):
        opened.add(os.path.realpath(arguments[0]))
sys.addaudithook(hook)
from breakeven.program_plan.planner import serve
question = io.BytesIO(sys.stdin.buffer.read())
serve(question, io.BytesIO())
print(json.dumps(sorted(opened)))
"""


@pytest.mark.parametrize("stack", ["hybrid", "two-models"])
def test_no_file_is_read_that_does_not_count(stack: str) -> None:
    values = stack_values(stack)
    configuration = {
        f"breakeven:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
    }
    asked = f"{json.dumps([stack, configuration])}\n[]\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", READ],
        input=asked,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    opened = [Path(name) for name in json.loads(done.stdout)]
    counted = (PACKAGE, *(CHECKOUT / name for name in ("charts", "stacks", "Pulumi.yaml")))
    of_python = {Path(folder).resolve() for folder in (*sys.path, sys.prefix, sys.base_prefix)}
    of_python -= {PACKAGE.parent, CHECKOUT, Path.cwd()}
    # The time zone of a clock, and folders that are only looked through for a module.
    other = [
        path
        for path in opened
        if not any(path.is_relative_to(place) for place in (*counted, *of_python))
        and path not in {PACKAGE.parent, CHECKOUT, Path.cwd(), Path("/dev/null")}
        and not path.is_relative_to("/proc")
        and not path.is_relative_to("/sys")
    ]
    assert any(path.is_relative_to(PACKAGE / "catalog" / "data") for path in opened)
    assert not other
