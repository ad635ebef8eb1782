"""The engine's images: vLLM for CPUs, and a program that answers in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from bootstrap.layout import digest
from bootstrap.vllm import NOT_FOR_CPUS, ON_A_CPU, Vllm
from node.archives import File, files_layer
from node.store import Image

# Named as the builds are: stacks refuse the wrong one.
ENGINE = "node.local/vllm-openai-cpu"
STAND_IN = "node.local/stand-in/vllm-openai-cpu"

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ENGINE = "opt/vllm"
_STAND_IN = Path(__file__).parent / "files" / "stand_in.py"

# vLLM as stacks start it, but that it does not compile a model of two layers for a minute, and that
# what only its images or GPUs have is left out.
_VLLM = f"""
import sys

from vllm.entrypoints.cli.main import main

if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        sys.argv = [one for one in sys.argv if not one.startswith({NOT_FOR_CPUS!r})]
        sys.argv.append("--enforce-eager")
    sys.exit(main())
"""


def images(
    debian: Path, engine: Vllm, trusted: File, variables: Mapping[str, str], tag: str
) -> Iterator[Image]:
    """Yields both images; each has vLLM's packages, which fetch weights, too.

    Args:
        debian: The layer below.
        engine: What is installed.
        trusted: The certificate of the world outside.
        variables: What every container here has in its environment.
        tag: Of both.
    """
    [packages] = engine.folder.glob("lib/python*/site-packages")
    python = packages.parent.name
    environment = {**variables, **ON_A_CPU, "PATH": f"/{_ENGINE}/bin:{PATH}"}
    for name, script in ((ENGINE, _VLLM), (STAND_IN, _STAND_IN.read_text(encoding="utf-8"))):
        files = [*_command(python, script), trusted]
        yield Image(
            name,
            digest(
                [],
                *(debian.name, engine.folder.name, script),
                *(trusted.data.decode(), repr(environment)),
            ),
            partial(_layers, debian, files),
            {
                "Env": [f"{key}={value}" for key, value in environment.items()],
                "Entrypoint": ["vllm"],
            },
            tag=tag,
            linked=(packages, f"{_ENGINE}/lib/{python}/site-packages"),
        )


def _layers(debian: Path, files: Sequence[File], folder: Path) -> list[Path]:
    return [debian, files_layer(folder / "files", files)]


def _command(python: str, script: str) -> list[File]:
    """A virtual environment upon Debian's Python, and the command `vllm` in it."""
    settings = b"home = /usr/bin\ninclude-system-site-packages = false\n"
    program = f"#!/{_ENGINE}/bin/python3\n{script}"
    return [
        File(f"{_ENGINE}/bin/python3", f"/usr/bin/{python}".encode(), link=True),
        File(f"{_ENGINE}/pyvenv.cfg", settings),
        File(f"{_ENGINE}/bin/vllm", program.encode(), 0o755),
    ]
