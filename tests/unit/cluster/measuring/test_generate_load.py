"""The script in the pod of the load: the key stays in it, and the figures fit into its message."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from breakeven.measurements.results import read_results
from breakeven.settings.files import ROOT
from tests.unit.measurements.test_results import GUIDELLM

_SCRIPT = ROOT / "charts" / "measurement" / "generate_load.py"
_KEY = "kept-from-output"
_MOST_BYTES = 4096
"""What a kubelet keeps of a termination message."""

_STAND_IN = """
import json, sys
from pathlib import Path
here = Path(__file__).parent
spec = json.loads(Path(sys.argv[3]).read_text())["spec"]
(here / "spec.json").write_text(json.dumps(spec))
if (here / "fails").exists():
    sys.exit(f"no route to host, and the key is {spec['backend']['api_key']}")
result = json.loads((here / "answer.json").read_text())
Path(spec["outputs"][0]["path"]).write_text(json.dumps(result))
"""


@pytest.fixture
def pod(tmp_path: Path) -> Path:
    """The folders that the pod has, and a stand-in for guidellm."""
    program = tmp_path / "guidellm"
    program.write_text(f"#!{sys.executable}\n{_STAND_IN}", encoding="utf-8")
    program.chmod(0o755)
    (tmp_path / "generate_load.py").write_text(_SCRIPT.read_text("utf-8"), encoding="utf-8")
    configuration = {"spec": {"backend": {"target": "http://10.0.0.1:8000"}, "outputs": []}}
    (tmp_path / "run.json").write_text(json.dumps(configuration), encoding="utf-8")
    (tmp_path / "key").write_text(f"{_KEY}\n", encoding="utf-8")
    many = [{"id": number, "output": "x" * 200} for number in range(1000)]
    [run] = GUIDELLM["benchmarks"]
    answer = {**GUIDELLM, "benchmarks": [{**run, "requests": {"successful": many}}]}
    (tmp_path / "answer.json").write_text(json.dumps(answer), encoding="utf-8")
    return tmp_path


def run(pod: Path) -> tuple[int, str]:
    scratch = pod / "scratch"
    scratch.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, str(pod / "generate_load.py")],
        env={
            "PATH": f"{pod}:{os.environ['PATH']}",
            "MEASURE_SCRATCH": str(scratch),
            "MEASURE_MESSAGE": str(pod / "message"),
            "MEASURE_KEY_FILE": str(pod / "key"),
        },
        check=False,
    )
    return done.returncode, (pod / "message").read_text(encoding="utf-8")


def test_the_message_holds_what_is_read_and_no_single_request(pod: Path) -> None:
    code, said = run(pod)
    assert code == 0
    assert len(said.encode()) <= _MOST_BYTES
    assert read_results(said, "job") == read_results(json.dumps(GUIDELLM), "file")
    spec = json.loads((pod / "spec.json").read_text(encoding="utf-8"))
    assert spec["backend"]["api_key"] == _KEY
    assert not (pod / "scratch" / "run.json").exists()


def test_without_a_result_the_last_line_is_told_without_the_key(pod: Path) -> None:
    (pod / "fails").touch()
    code, said = run(pod)
    assert code == 1
    assert said == "no route to host, and the key is ***"
