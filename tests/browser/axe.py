"""axe-core, which checks pages for accessibility: fetched once by npm, pinned by checksum."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "4.11.0"  # MPL-2.0; of tests alone, never part of a page
INTEGRITY = (
    "ilYanEU8vxxBexpJd8cWM4ElSQq4QctCLKih0TSfjIfCQTeyH/6zVrmIJfLPrKTKJRbiG+cfnZbQIjAlJmF1jQ=="
)
"""SHA-512 of the package, as the registry states it."""

CHECK = """
new Promise(done => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa",
  "wcag22aa", "best-practice"]}).then(found => done(JSON.stringify(found.violations.map(
  one => [one.id, one.nodes.map(node => node.target.join(" ") + ": " + node.failureSummary)])))))
"""
"""Returns the violations as JSON: each rule with the elements that break it."""


def script() -> str:
    """Returns the script.

    Raises:
        AssertionError: npm is not installed, or what it fetched has another checksum.
    """
    home = Path(os.environ.get("BREAKEVEN_CACHE", Path.home() / ".cache" / "breakeven"))
    package = home / "axe-core" / f"axe-core-{VERSION}.tgz"
    if not package.is_file():
        _fetch(package)
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    assert digest == INTEGRITY, f"{package} is not axe-core {VERSION}; remove it and try again"
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/axe.min.js")
        assert member is not None
        return member.read().decode()


def _fetch(package: Path) -> None:
    npm = shutil.which("npm")
    assert npm, f"npm is not on PATH; it fetches axe-core {VERSION}, which these tests need"
    package.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=package.parent) as folder:
        subprocess.run(
            [npm, "pack", "--silent", f"axe-core@{VERSION}"], cwd=folder, check=True, timeout=300
        )
        (Path(folder) / package.name).replace(package)
