"""The wheel holds all that the components read, and works without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bootstrap.environments import environment
from breakeven import __version__
from breakeven.settings.files import ROOT

SCRIPT = """
import json, breakeven
from breakeven.manifests.templates import CHARTS
from breakeven import parse
stack, problems = parse({})
assert not problems
print(json.dumps([breakeven.__file__, stack.pool.gpu.name,
    sorted(str(p.relative_to(CHARTS)) for p in CHARTS.rglob("*.j2"))]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    requirements = Path(__file__).parent / "wheel" / "requirements.txt"
    builder = environment("wheel", requirements, contents="what builds the wheel, seconds")
    folder = tmp_path_factory.mktemp("wheel")
    command = [str(builder / "bin" / "python"), "-m", "pip", "wheel", "--no-deps", "--quiet"]
    options = ["--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run([*command, *options], check=True, cwd=folder)
    [built] = folder.glob("*.whl")
    return built


def test_its_version_is_that_of_the_package_and_in_the_changelog(wheel: Path) -> None:
    assert wheel.name == f"breakeven-{__version__}-py3-none-any.whl"
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_it_works_where_there_is_no_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    package, settings, templates = json.loads(done.stdout)
    assert Path(package).is_relative_to(tmp_path)
    assert settings == "l4"
    charts = ROOT / "charts"
    assert templates == sorted(str(path.relative_to(charts)) for path in charts.rglob("*.j2"))


def test_it_leaves_out_what_is_not_of_the_package(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert tops == {"breakeven", f"breakeven-{__version__}.dist-info"}
