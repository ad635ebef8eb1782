"""The volume of the weights becomes full while they are fetched: a real file system, that small.

The script and its arguments are what the stack renders; what is not real is the hub
(tests/unit/manifests/serving/stand_in).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from breakeven.planning.offline import manifests_of_stack
from breakeven.settings.files import ROOT
from tests.unit.manifests.serving.test_fetch_weights import STAND_IN, safetensors

VOLUME_BYTES = 1_000_000
FILE_BYTES = 300_000
OTHERS_BYTES = 600_000

# In a namespace of its own, where anybody may mount: the same pod, twice, on one volume.
TWICE = """
mount -t tmpfs -o size={size} tmpfs "$VOLUME"
STAND_IN_OTHERS_FILE="$VOLUME/others" "$@"; echo "status $?"
find "$VOLUME" -type f -printf 'has %P %s\\n'
echo ======
rm "$VOLUME/others"
"$@"; echo "status $?"
find "$VOLUME" -type f -printf 'has %P %s\\n'
"""


def rendered(kind: str) -> list[dict[str, Any]]:
    manifests = [dict(found.manifest) for found in manifests_of_stack("on-prem")[0]]
    return [manifest for manifest in manifests if manifest["kind"] == kind]


@pytest.fixture
def pod(tmp_path: Path) -> list[str]:
    """The command of the pod that fetches, with its paths on this machine."""
    [script] = [
        each["data"] for each in rendered("ConfigMap") if "fetch_weights.py" in each["data"]
    ]
    (tmp_path / "fetch_weights.py").write_text(script["fetch_weights.py"], encoding="utf-8")
    [container] = [
        container
        for job in rendered("Job")
        for container in job["spec"]["template"]["spec"]["containers"]
        if "--check" not in container["args"]
    ]
    assert container["command"] == ["python3", "/script/fetch_weights.py"]
    arguments = [
        argument.replace("=/weights", f"={tmp_path / 'volume'}") for argument in container["args"]
    ]
    return [sys.executable, str(tmp_path / "fetch_weights.py"), *arguments]


def test_a_volume_that_becomes_full_is_said_keeps_no_half_and_is_finished_by_the_next_run(
    tmp_path: Path, pod: list[str]
) -> None:
    hub, volume = tmp_path / "hub", tmp_path / "volume"
    hub.mkdir()
    volume.mkdir()
    for number in (1, 2):
        (hub / f"model-{number}.safetensors").write_bytes(safetensors(FILE_BYTES))
    [revision] = [each.partition("=")[2] for each in pod if each.startswith("--revision=")]
    result = subprocess.run(
        [
            *("unshare", "--user", "--map-root-user", "--mount", "--"),
            *("sh", "-c", TWICE.format(size=VOLUME_BYTES), "sh", *pod),
        ],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(STAND_IN),
            "PYTHONDONTWRITEBYTECODE": "1",
            "STAND_IN_HUB": str(hub),
            "STAND_IN_OTHERS_BYTES": str(OTHERS_BYTES),
            "VOLUME": str(volume),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    full, again = result.stdout.split("======\n")
    assert "status 1" in full
    assert "failed: FetchError: the volume became full" in full
    assert "Traceback" not in full + result.stderr
    stored = [line.split()[1] for line in full.splitlines() if line.startswith("has ")]
    assert not any(name.startswith(f"{revision}/") for name in stored)
    whole = [name for name in stored if name.endswith(".safetensors")]
    assert whole == [f"{revision}.partial/model-1.safetensors"]
    assert "status 0" in again
    assert "present model-1.safetensors" in again  # it went on where it stopped
    size = len(safetensors(FILE_BYTES))
    for number in (1, 2):
        assert f"has {revision}/model-{number}.safetensors {size}" in again
