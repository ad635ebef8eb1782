"""What a release of vLLM takes: flags and parsers, read from the source in its wheel.

Nothing of the wheel is run. `make engine-flags WHEEL=FILE` adds a release.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_FLAG = re.compile(r"--[a-z][a-z0-9-]*")
_DEFINE_FLAGS = re.compile(
    r"vllm/(engine/arg_utils|entrypoints/.*cli_args|entrypoints/cli/serve)\.py"
)
_FRONTEND = re.compile(r"(Base)?FrontendArgs|.*ServerArgs")
_PARSERS = {
    "toolParsers": "vllm/tool_parsers/__init__.py",
    "reasoningParsers": "vllm/reasoning/__init__.py",
}
FOLDER = Path(__file__).resolve().parents[1] / "data" / "engines"


def read_wheel(wheel: Path) -> dict[str, Any]:
    """Returns what the release in a wheel takes.

    Args:
        wheel: A file NAME-VERSION-*.whl of vLLM, for any platform.

    Raises:
        ValueError: It is not a wheel of vLLM, or its source is not as in earlier releases.
    """
    version = re.match(r"vllm[\w]*-(\d+\.\d+\.\d+)", wheel.name)
    if version is None:
        msg = f"{wheel.name}: is not named like a wheel of a release of vLLM, vllm-X.Y.Z-….whl"
        raise ValueError(msg)
    try:
        with zipfile.ZipFile(wheel) as archive:
            sources = {
                name: archive.read(name).decode()
                for name in archive.namelist()
                if _DEFINE_FLAGS.fullmatch(name) or name in _PARSERS.values()
            }
    except zipfile.BadZipFile as error:
        msg = f"{wheel.name}: is not a zip file. Download it again"
        raise ValueError(msg) from error
    flags = {
        flag
        for name, text in sources.items()
        if _DEFINE_FLAGS.fullmatch(name)
        for flag in _flags(ast.parse(text))
    }
    found = {key: sorted(_parsers(sources.get(name, ""))) for key, name in _PARSERS.items()}
    if not {"--max-model-len", "--api-key", "--middleware"} <= flags or not all(found.values()):
        msg = f"{wheel.name}: flags or parsers are not where earlier releases have them"
        raise ValueError(msg)
    return {
        "version": version[1],
        "source": f"source of vLLM {version[1]} (Apache-2.0), in {wheel.name} of the package index",
        "flags": sorted(flag.removeprefix("--") for flag in flags),
        **found,
    }


def _flags(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if _FLAG.fullmatch(node.value):
                yield node.value
        elif isinstance(node, ast.ClassDef) and _FRONTEND.fullmatch(node.name):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    yield f"--{field.target.id.replace('_', '-')}"


def _parsers(text: str) -> Iterator[str]:
    """Yields the keys of the table of lazily loaded parsers."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            for key in node.value.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value


def main(wheels: list[str]) -> int:
    """Writes a file for each wheel; returns the exit code."""
    for name in wheels:
        try:
            release: Mapping[str, Any] = read_wheel(Path(name))
        except (ValueError, OSError) as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
        target = FOLDER / f"{release['version']}.json"
        beside = target.with_suffix(".new")
        beside.write_text(json.dumps(release, indent=1) + "\n", encoding="utf-8")
        beside.replace(target)
        sys.stdout.write(f"Written: {target}, {len(release['flags'])} flags\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
