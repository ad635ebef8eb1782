"""Lays the documents and what they link to out as in the repository, and runs mkdocs over them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bootstrap.environments import environment

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LINK = re.compile(r"\]\((?P<target>[^)#\s]+)")
"""Target of a link or picture in Markdown, without its anchor."""


def documents(root: Path = ROOT) -> tuple[Path, ...]:
    """Returns the documents of the pages."""
    front = (
        root / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
    )
    return (*front, *sorted((root / "docs").rglob("*.md")))


def linked(document: Path) -> Iterator[Path]:
    """Yields the files of the repository that a document links to."""
    for found in LINK.finditer(document.read_text(encoding="utf-8")):
        if "://" not in found["target"]:
            yield (document.parent / found["target"]).resolve()


def lay_out(folder: Path) -> None:
    """Copies documents and what they link to into a folder, each to its own place."""
    shutil.copyfile(HERE / "wide.css", folder / "wide.css")
    # Documents that are no pages stay as they are: a golden report is shown as its source.
    pages = documents()
    files = {*pages, *(file for page in pages for file in linked(page) if file.is_file())}
    for file in sorted(files):
        target = folder / file.relative_to(ROOT)
        if file.suffix == ".md" and file not in pages:
            target = target.with_name(f"{target.name}.txt")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def build(site: Path) -> int:
    """Builds the pages; returns mkdocs' exit code, which is not 0 where a link is broken."""
    installed = environment(
        "pages", HERE / "requirements.txt", contents="mkdocs and its theme, half a minute"
    )
    with TemporaryDirectory() as temporary:
        pages = Path(temporary).resolve()
        lay_out(pages)
        for page in pages.rglob("*.md"):
            _point_to_sources(page)
        done = subprocess.run(
            [
                *(str(installed / "bin" / "mkdocs"), "build", "--strict"),
                *("--config-file", str(HERE / "mkdocs.yml")),
            ],
            # The notice is about a successor, not about these pages; docs/decisions.md has it.
            env={
                **os.environ,
                "NO_MKDOCS_2_WARNING": "1",
                "BREAKEVEN_PAGES": str(pages),
                "BREAKEVEN_SITE": str(site),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        print(done.stderr, file=sys.stderr)  # noqa: T201  # what is broken
    return done.returncode


def _point_to_sources(page: Path) -> None:
    """Points links to documents that are no pages to their copies."""

    def target(found: re.Match[str]) -> str:
        copied = (page.parent / f"{found['target']}.txt").resolve()
        return f"]({found['target']}.txt" if copied.is_file() else found[0]

    text = page.read_text(encoding="utf-8")
    page.write_text(LINK.sub(target, text), encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Builds into .cache/docs/site, or the folder named after `build`."""
    if not arguments or arguments[0] != "build":
        print("usage: python tools/pages build [FOLDER]", file=sys.stderr)  # noqa: T201
        return 2
    default = ROOT / ".cache" / "docs" / "site"
    site = Path(arguments[1]).resolve() if len(arguments) > 1 else default
    code = build(site)
    if code == 0:
        print(f"built: {site / 'index.html'}")  # noqa: T201  # the command's answer
    return code
