"""The CPU build of vLLM in an environment of its own, and a model that any machine serves.

`make vllm-check` starts it as the stacks would. Versions and checksums are pinned in tools/vllm.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bootstrap.console import Console, SetupError, run_logged
from bootstrap.layout import Layout, digest, exclusive, replace_text

# With what pip keeps while it unpacks.
NEEDED_GIB = 9
NEWEST_PYTHON = (3, 14)

# A CPU has memory and cores that others use, too.
ON_A_CPU = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB; GPUs have their memory for it
    # Nothing is gained by compiling a model of two layers (--enforce-eager), and it takes a minute.
    "TORCHDYNAMO_DISABLE": "1",
    # Two servers on one machine must not claim the same cores.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
}
"""Variables with which vLLM serves a tiny model on a machine that does other things."""

NOT_FOR_CPUS = (
    # Kernels of GPUs.
    "--quantization",
    "--kv-cache-dtype",
    "--kv-offloading-size",
    "--kv-offloading-backend",
    "--enable-expert-parallel",
    # vLLM's examples are in its image and not in its package.
    "--chat-template=/vllm-workspace/",
)
"""How flags begin that a stack for GPUs has, and vLLM's package for CPUs cannot use."""

_COMPLETE = "breakeven.json"
_GIB = 2**30


@dataclass(frozen=True)
class Vllm:
    """A finished installation.

    Attributes:
        folder: Its virtual environment.
        model: The tiny model.
    """

    folder: Path
    model: Path

    @property
    def program(self) -> Path:
        """The command-line program."""
        return self.folder / "bin" / "vllm"

    @property
    def python(self) -> Path:
        """The interpreter that has vLLM's packages."""
        return self.folder / "bin" / "python"


def version(layout: Layout) -> str:
    """The version of vLLM that tools/vllm pins."""
    text = (_sources(layout) / "requirements.txt").read_text(encoding="utf-8")
    match = re.search(r"^vllm-cpu==(\S+)", text, re.MULTILINE)
    return match.group(1) if match else "of tools/vllm/requirements.txt"


def obstacle(layout: Layout) -> str:
    """Why it cannot be installed on this machine; empty if nothing speaks against it."""
    machine = f"{platform.system()} on {platform.machine()}"
    if machine != "Linux on x86_64":
        return f"there is no build of vllm-cpu for {machine}"
    if sys.version_info[:2] > NEWEST_PYTHON:
        return f"there is no build of vllm-cpu for Python {platform.python_version()}"
    free = shutil.disk_usage(_existing(layout.cache)).free / _GIB
    if find(layout) is None and free < NEEDED_GIB:
        return f"it takes {NEEDED_GIB} GiB in {layout.cache}, where {free:.1f} GiB are free"
    return ""


def find(layout: Layout) -> Vllm | None:
    """The finished installation of what is pinned, if there is one."""
    vllm = _wanted(layout)
    complete = (vllm.folder / _COMPLETE).is_file() and vllm.model.is_dir()
    return vllm if complete else None


def ensure(layout: Layout, console: Console) -> None:
    """Install it where that is possible; say so where it is not.

    Raises:
        SetupError: It should have been possible.
    """
    label = f"vLLM {version(layout)} for CPUs"
    reason = obstacle(layout)
    if reason:
        console.line(f"{label}: cannot be installed here, so its tests are skipped: {reason}")
        return
    with exclusive(layout, console):
        found = find(layout)
        if found is not None:
            console.line(f"{label}: up to date in {found.folder}")
            return
        vllm = _wanted(layout)
        if not (vllm.folder / _COMPLETE).is_file():
            with console.step(label, "installing its packages (about 3 minutes, 5.5 GB, once)"):
                _install(layout, vllm)
        with console.step(label, "making a tiny model"):
            _make_model(layout, vllm)


def _install(layout: Layout, vllm: Vllm) -> None:
    log = _log(layout)
    log.unlink(missing_ok=True)
    shutil.rmtree(vllm.folder.parent, ignore_errors=True)  # with those of older pins
    base = getattr(sys, "_base_executable", "") or sys.executable
    requirements = str(_sources(layout) / "requirements.txt")
    commands = [
        [base, "-m", "venv", str(vllm.folder)],
        # Without dependencies: the list is complete, and vLLM asks for a build of torch that is not
        # on PyPI.
        [
            *(str(vllm.python), "-m", "pip", "install", "--require-hashes", "--no-deps"),
            *("--no-input", "--no-cache-dir", "--disable-pip-version-check", "-r", requirements),
        ],
    ]
    for command in commands:
        run_logged(command, cwd=layout.root, env=os.environ, log=log)
    _name_the_distribution(layout, vllm)
    run_logged([str(vllm.program), "--version"], cwd=vllm.folder, env=os.environ, log=log)
    replace_text(vllm.folder / _COMPLETE, "{}\n")


def _make_model(layout: Layout, vllm: Vllm) -> None:
    beside = vllm.model.with_name(f"{vllm.model.name}.unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    script = str(_sources(layout) / "tiny_model.py")
    command = [str(vllm.python), script, str(beside)]
    run_logged(command, cwd=vllm.folder, env=os.environ, log=_log(layout))
    beside.rename(vllm.model)


def _name_the_distribution(layout: Layout, vllm: Vllm) -> None:
    """Let the program find its own version: it asks for "vllm", and is installed as "vllm-cpu"."""
    [installed] = vllm.folder.glob("lib/python*/site-packages/vllm_cpu-*.dist-info")
    number = f"{version(layout)}+cpu"
    named = installed.with_name(f"vllm-{number}.dist-info")
    named.mkdir(exist_ok=True)
    (named / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: vllm\nVersion: {number}\n", encoding="utf-8"
    )


def _wanted(layout: Layout) -> Vllm:
    sources = _sources(layout)
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = layout.cache / "vllm" / f"{digest([sources / 'requirements.txt'])[:12]}-py{python}"
    model = f"tiny-model-{digest([sources / 'tiny_model.py'])[:12]}"
    return Vllm(folder, folder / model)


def _log(layout: Layout) -> Path:
    return layout.cache / "logs" / "vllm.log"


def _sources(layout: Layout) -> Path:
    folder = layout.root / "tools" / "vllm"
    if not (folder / "requirements.txt").is_file():
        raise SetupError(
            what=f"{folder / 'requirements.txt'} is missing",
            allowed="the hash-locked list of packages that the repository holds",
            fix=["git checkout -- tools/vllm", "make lock"],
        )
    return folder


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder
