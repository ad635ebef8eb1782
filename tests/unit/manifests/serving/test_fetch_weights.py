"""The script that fills the weights volume, run as the pod runs it.

The hub's library is a stand-in (stand_in/huggingface_hub.py); files, checksums and the script
itself are real.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from breakeven.manifests.templates import CHARTS

SCRIPT = CHARTS / "serving" / "fetch_weights.py"
STAND_IN = Path(__file__).parent / "stand_in"
REVISION = "a" * 40
TOKEN = "hf_secret_of_a_test"


def safetensors(size: int = 16) -> bytes:
    """A file in the real format with one tensor of `size` bytes."""
    header = json.dumps({"weight": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}})
    return len(header).to_bytes(8, "little") + header.encode() + bytes(size)


def header(text: bytes) -> bytes:
    """A file with a header of any text, and no tensors."""
    return len(text).to_bytes(8, "little") + text


def tensors(*spans: list[int]) -> bytes:
    """A file with tensors at the given offsets."""
    entries = {
        f"t{number}": {"dtype": "U8", "shape": [span[1] - span[0]], "data_offsets": span}
        for number, span in enumerate(spans)
    }
    header = json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + bytes(32)


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """A repository with weights in two files, one of them pickled as well."""
    folder = tmp_path / "hub"
    folder.mkdir()
    (folder / "model-00001.safetensors").write_bytes(safetensors(16))
    (folder / "model-00002.safetensors").write_bytes(safetensors(32))
    weight_map = {"a": "model-00001.safetensors", "b": "model-00002.safetensors"}
    index = {"weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    (folder / "modeling.py").write_text("raise SystemExit")
    (folder / "consolidated.safetensors").write_bytes(safetensors())
    (folder / "original").mkdir()
    (folder / "original" / "params.json").write_text("{}")
    return folder


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


def fetch(
    hub: Path, volume: Path, *further: str, prefix: Sequence[str] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    arguments = [
        *("--repository=owner/model", f"--revision={REVISION}", f"--directory={volume}"),
        *further,
    ]
    return subprocess.run(
        [*prefix, sys.executable, str(SCRIPT), *arguments],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(STAND_IN),
            "PYTHONDONTWRITEBYTECODE": "1",
            "STAND_IN_HUB": str(hub),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_pod_s_status_begins_with_the_reason(hub: Path, volume: Path, tmp_path: Path) -> None:
    told = tmp_path / "termination-log"
    told.touch()
    huge = "model-00001.safetensors"
    result = fetch(hub, volume, "--check", f"--termination-log={told}", STAND_IN_HUGE=huge)
    assert result.stdout.startswith("not fetched: ")
    assert told.read_text().startswith("failed: FetchError: ")


@pytest.mark.parametrize(
    ("status", "token", "said"),
    [
        ("401", TOKEN, "the hub rejects the token of weights.hubTokenSecret (status 401)"),
        ("403", TOKEN, "may not read owner/model (status 403): request access"),
        ("401", "", "does not show owner/model without a token (status 401)"),
        ("404", TOKEN, "failed: HfHubHTTPError: Client error '404'"),
    ],
)
def test_a_refusal_of_the_hub_is_told_with_what_to_do_about_it(
    hub: Path, volume: Path, status: str, token: str, said: str
) -> None:
    result = fetch(hub, volume, "--check", STAND_IN_STATUS=status, HF_TOKEN=token)
    assert result.returncode == 1
    [line] = [line for line in result.stdout.splitlines() if line.startswith("failed: ")]
    assert said in line
    assert TOKEN not in result.stdout + result.stderr


def test_what_the_engine_needs_arrives_whole_and_readable(hub: Path, volume: Path) -> None:
    result = fetch(hub, volume)
    assert result.returncode == 0, result.stdout + result.stderr
    stored = volume / REVISION
    assert {path.name for path in stored.iterdir()} == {
        "model-00001.safetensors",
        "model-00002.safetensors",
        "model.safetensors.index.json",
        "config.json",
        "chat_template.jinja",
    }
    for path in stored.iterdir():
        assert path.read_bytes() == (hub / path.name).read_bytes()
        # Written with mode 0600, and read by another user.
        assert path.stat().st_mode & 0o777 == 0o644
    assert stored.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in volume.iterdir()] == [REVISION]


def test_pickles_and_code_are_left_where_they_are(hub: Path, volume: Path) -> None:
    result = fetch(hub, volume)
    names = {path.name for path in volume.rglob("*")}
    assert not names & {"pytorch_model.bin", "modeling.py", "original", "consolidated.safetensors"}
    assert "pytorch_model.bin" in result.stdout  # and the log says so


def test_a_repository_of_pickles_is_refused(hub: Path, volume: Path) -> None:
    for path in hub.glob("*.safetensors"):
        path.unlink()
    result = fetch(hub, volume)
    assert result.returncode == 1
    assert "no safetensors" in result.stdout
    assert "pytorch_model.bin" in result.stdout
    assert list(volume.iterdir()) == []


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff" * 8,
        (4).to_bytes(8, "little") + b"{{{{",
        safetensors(32)[:-1],
        safetensors(32) + b"x",
        tensors([0, 20], [10, 32]),
        tensors([0, 10], [12, 32]),
        (200_000_000).to_bytes(8, "little") + bytes(200_000_000),
        b"\x03",
        (2**63).to_bytes(8, "little") + bytes(64),
        header(b'{"a": {"data_offsets": [0, 1e999]}}'),
        header(b'{"a": {"data_offsets": [0, -8]}}'),
        header(b'{"a": {"data_offsets": [0, NaN]}}'),
        header(b"[" * 100_000),
    ],
    ids=[
        *("empty", "endless", "no json", "cut off", "too long", "overlap", "gap", "long header"),
        *("no length", "2^63", "infinite", "negative", "not a number", "deep"),
    ],
)
def test_a_file_that_contradicts_its_header_is_refused(
    hub: Path, volume: Path, damage: bytes
) -> None:
    (hub / "model-00002.safetensors").write_bytes(damage)
    result = fetch(hub, volume)
    assert result.returncode == 1
    assert "model-00002.safetensors" in result.stdout
    assert not (volume / REVISION).exists()


def test_a_file_that_differs_from_the_hubs_checksum_is_fetched_again(
    hub: Path, volume: Path
) -> None:
    failed = fetch(hub, volume, STAND_IN_WRONG="model-00001.safetensors")
    assert failed.returncode == 1
    assert "model-00001.safetensors differs from the checksum" in failed.stdout
    # Pulumi shows the end of the log.
    assert failed.stdout.splitlines()[-1].startswith("failed: FetchError: model-00001.safetensors")
    assert not (volume / REVISION).exists()
    assert not list(volume.rglob("model-00001.safetensors"))
    again = fetch(hub, volume)
    assert again.returncode == 0
    assert "download model-00001.safetensors" in again.stdout
    assert (volume / REVISION / "model-00001.safetensors").is_file()


def test_a_small_file_that_differs_from_the_hubs_git_hash_is_refused(
    hub: Path, volume: Path
) -> None:
    failed = fetch(hub, volume, STAND_IN_WRONG="chat_template.jinja")
    assert failed.returncode == 1
    assert "chat_template.jinja differs from the checksum" in failed.stdout
    assert not (volume / REVISION).exists()


@pytest.mark.parametrize("content", [b"\x80\x04K\x01.", b"PK\x03\x04rest"])
def test_a_pickle_under_another_name_is_refused(hub: Path, volume: Path, content: bytes) -> None:
    (hub / "tokenizer.model").write_bytes(content)
    failed = fetch(hub, volume)
    assert failed.returncode == 1
    assert "tokenizer.model is a pickle" in failed.stdout
    assert not (volume / REVISION).exists()


def test_a_configuration_may_name_python_only_for_what_the_engine_has_built_in(
    hub: Path, volume: Path
) -> None:
    config = {"architectures": ["OwnForCausalLM"], "auto_map": {"AutoModel": "modeling.Own"}}
    (hub / "config.json").write_text(json.dumps(config))
    for known in ([], ["--architecture=LlamaForCausalLM"]):
        failed = fetch(hub, volume, *known)
        assert failed.returncode == 1
        assert "config.json asks for Python code of the repository" in failed.stdout
        assert not (volume / REVISION).exists()
    assert fetch(hub, volume, "--architecture=OwnForCausalLM").returncode == 0


def test_an_interrupted_download_goes_on_where_it_stopped(hub: Path, volume: Path) -> None:
    broken = fetch(hub, volume, STAND_IN_BREAKS_AFTER="3")
    assert broken.returncode == 1
    assert not (volume / REVISION).exists()
    again = fetch(hub, volume)
    assert again.returncode == 0
    assert again.stdout.count("present ") == 3
    assert (volume / REVISION).is_dir()


def test_what_is_there_is_not_fetched_again(hub: Path, volume: Path) -> None:
    assert fetch(hub, volume).returncode == 0
    again = fetch(hub, volume, STAND_IN_DENIES="1")  # it does not even ask
    assert again.returncode == 0
    assert "is there" in again.stdout


def test_weights_that_the_index_names_must_be_there(hub: Path, volume: Path) -> None:
    (hub / "model-00002.safetensors").unlink()
    result = fetch(hub, volume)
    assert result.returncode == 1
    assert "names files that the repository does not have: model-00002.safetensors" in result.stdout


def test_the_index_names_files_of_the_repository_alone(hub: Path, volume: Path) -> None:
    (volume / "others.safetensors").write_bytes(safetensors())
    index = {"weight_map": {"a": "model-00001.safetensors", "b": "../others.safetensors"}}
    (hub / "model.safetensors.index.json").write_text(json.dumps(index))
    result = fetch(hub, volume)
    assert result.returncode == 1
    assert "names files that the repository does not have: ../others.safetensors" in result.stdout


@pytest.mark.parametrize("name", ["a\nverified b", "\x1b[2Ja", "\x9b2Ja", "a\u202eb", "a\rb"])
def test_a_name_of_a_file_forges_no_line_of_the_log(hub: Path, volume: Path, name: str) -> None:
    (hub / name).write_bytes(b"")
    honest = fetch(hub, volume)
    assert honest.returncode == 0, honest.stdout + honest.stderr
    assert name not in honest.stdout
    assert ascii(name)[1:-1] in honest.stdout
    assert all(line.isprintable() for line in honest.stdout.split("\n"))


def test_a_volume_that_is_too_small_is_told_before_the_download(hub: Path, volume: Path) -> None:
    result = fetch(hub, volume, STAND_IN_HUGE="model-00001.safetensors")
    assert result.returncode == 1
    assert "1000000000.00 GB to fetch, but the volume has" in result.stdout
    assert "download" not in result.stdout


def test_a_volume_that_fills_up_is_told_and_the_next_run_finishes(hub: Path, volume: Path) -> None:
    (hub / "model-00002.safetensors").write_bytes(safetensors(4096))
    # The kernel's limit of a file's size, 1 KiB, stands in for the end of the volume.
    full = fetch(hub, volume, prefix=["bash", "-c", 'ulimit -f 1; exec "$@"', "bash"])
    assert full.returncode == 1
    assert "failed: OSError: [Errno 27] File too large" in full.stdout
    assert "Traceback" not in full.stdout + full.stderr
    assert not (volume / REVISION).exists()
    again = fetch(hub, volume)
    assert again.returncode == 0
    assert "present model-00001.safetensors" in again.stdout
    stored = volume / REVISION / "model-00002.safetensors"
    assert stored.read_bytes() == safetensors(4096)


def test_a_check_fetches_nothing_and_fails_for_what_would_fail_later(
    hub: Path, volume: Path
) -> None:
    for wrong, said in (
        ({"STAND_IN_HUGE": "model-00001.safetensors"}, "but the volume has"),
        ({"STAND_IN_DENIES": "1"}, "PermissionError: 401"),
    ):
        failed = fetch(hub, volume, "--check", **wrong)
        assert failed.returncode == 1
        assert said in failed.stdout.splitlines()[-1]
    assert fetch(hub, volume, "--check").returncode == 0
    assert list(volume.iterdir()) == []
    assert fetch(hub, volume).returncode == 0
    again = fetch(hub, volume, "--check", STAND_IN_DENIES="1")  # all is there: it does not even ask
    assert again.returncode == 0


@pytest.mark.parametrize("failure", [{}, {"STAND_IN_DENIES": "1"}])
def test_the_token_is_never_printed(hub: Path, volume: Path, failure: dict[str, str]) -> None:
    result = fetch(hub, volume, HF_TOKEN=TOKEN, **failure)
    assert result.returncode == (1 if failure else 0)
    assert TOKEN not in result.stdout + result.stderr
    assert "Signature" not in result.stdout + result.stderr


def test_an_error_is_one_line_without_a_traceback(hub: Path, volume: Path) -> None:
    result = fetch(hub, volume, HF_TOKEN=TOKEN, STAND_IN_DENIES="1")
    assert "failed: PermissionError: 401 for https://cdn.test/owner/model?*** with" in result.stdout
    assert "token ***" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        pass


@pytest.fixture
def vocabulary(tmp_path: Path) -> Iterator[str]:
    """Address of a file on a server of this machine, with its checksum."""
    folder = tmp_path / "published"
    folder.mkdir()
    content = b"AA== 0\n"
    (folder / "o200k_base.tiktoken").write_bytes(content)
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/o200k_base.tiktoken"
        yield f"{address}#sha256={hashlib.sha256(content).hexdigest()}"
        server.shutdown()


def test_a_vocabulary_is_fetched_and_verified_like_weights(
    hub: Path, volume: Path, vocabulary: str
) -> None:
    assert fetch(hub, volume, f"--file={vocabulary}", "--check").returncode == 0
    assert not (volume / REVISION).exists()
    assert fetch(hub, volume, f"--file={vocabulary}").returncode == 0
    assert (volume / REVISION / "o200k_base.tiktoken").read_bytes() == b"AA== 0\n"


def test_a_vocabulary_that_differs_from_its_checksum_is_not_kept(
    hub: Path, volume: Path, vocabulary: str
) -> None:
    address = vocabulary.partition("#")[0]
    result = fetch(hub, volume, f"--file={address}#sha256={'0' * 64}")
    assert result.returncode == 1
    assert "o200k_base.tiktoken differs from the checksum" in result.stdout
    assert not (volume / REVISION).exists()
