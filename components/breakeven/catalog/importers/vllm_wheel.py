"""What a release of vLLM takes and tells: flags, parsers and metrics, read from its wheel.

Nothing of the wheel is run. `make engine-flags WHEEL=FILE` adds a release; `make engine-bump` also
makes it the one that stacks deploy.
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
_METRICS = re.compile(r"vllm/v1/(metrics/|spec_decode/metrics\.py)[\w/.]*")
_METRIC = re.compile(r"vllm:[a-z0-9_]+")
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
                if _DEFINE_FLAGS.fullmatch(name)
                or name in _PARSERS.values()
                or (_METRICS.match(name) and name.endswith(".py"))
            }
            metadata = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            torch = re.search(
                r"^Requires-Dist: torch==([\d.]+)",
                "".join(archive.read(name).decode() for name in metadata),
                re.MULTILINE,
            )
    except zipfile.BadZipFile as error:
        msg = f"{wheel.name}: is not a zip file. Download it again"
        raise ValueError(msg) from error
    flags = {
        flag
        for name, text in sources.items()
        if _DEFINE_FLAGS.fullmatch(name)
        for flag in _flags(ast.parse(text))
    }
    metrics = {
        metric
        for name, text in sources.items()
        if _METRICS.match(name)
        for metric in _metrics(ast.parse(text))
    }
    found = {key: sorted(_parsers(sources.get(name, ""))) for key, name in _PARSERS.items()}
    found["metrics"] = sorted(metrics)
    if not {"--max-model-len", "--api-key", "--middleware"} <= flags or not all(found.values()):
        msg = f"{wheel.name}: flags, parsers or metrics are not where earlier releases have them"
        raise ValueError(msg)
    return {
        "version": version[1],
        "source": f"source of vLLM {version[1]} (Apache-2.0), in {wheel.name} of the package index",
        "torch": torch[1] if torch else "",
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


def _metrics(tree: ast.Module) -> Iterator[str]:
    """Yields names as Prometheus reads them: a client adds _total to the name of a counter."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        kind = ast.unparse(node.func).lower()
        names = [each.value for each in node.keywords if each.arg == "name"]
        for name in [*names, *node.args[:1]]:
            if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
                continue
            if _METRIC.fullmatch(name.value):
                counts = "counter" in kind and not name.value.endswith("_total")
                yield f"{name.value}_total" if counts else name.value


def write_release(release: Mapping[str, Any]) -> Path:
    """Writes the file of a release; keeps what a person stated in it, such as its images."""
    target = FOLDER / f"{release['version']}.json"
    known = json.loads(target.read_text(encoding="utf-8")) if target.is_file() else {}
    stated = {name: known[name] for name in ("images",) if name in known}
    beside = target.with_suffix(".new")
    beside.write_text(json.dumps({**release, **stated}, indent=1) + "\n", encoding="utf-8")
    beside.replace(target)
    return target


def main(wheels: list[str]) -> int:
    """Writes a file for each wheel; returns the exit code."""
    for name in wheels:
        try:
            release: Mapping[str, Any] = read_wheel(Path(name))
        except (ValueError, OSError) as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
        target = write_release(release)
        sys.stdout.write(f"Written: {target}, {len(release['flags'])} flags\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
