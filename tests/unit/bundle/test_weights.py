"""Only a model's own files go into a bundle: nothing that runs code, nothing damaged."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from breakeven.bundle.errors import BundleError
from breakeven.bundle.weights import check_model_folder
from tests.unit.bundle.builders import REVISION, make_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path)


def test_the_files_that_an_engine_reads_are_taken(model: Path) -> None:
    names = [path.name for path in check_model_folder(model, REVISION)]
    assert names == ["chat_template.jinja", "config.json", "model.safetensors"]


def _cut(model: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def _lengthen(model: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes() + b"x")


def _overlap(model: Path) -> None:
    header = json.dumps(
        {
            "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        }
    ).encode()
    content = len(header).to_bytes(8, "little") + header + bytes(4)
    (model / "model.safetensors").write_bytes(content)


def _index(model: Path) -> None:
    index = {"weight_map": {"layer": "model-00002-of-00002.safetensors"}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    def write(model: Path) -> None:
        (model / name).write_bytes(content)

    return write


PICKLE = pickle.dumps({"weights": [1, 2, 3]})
FLAWS: dict[str, tuple[Callable[[Path], None], str]] = {
    "pickle": (_write("pytorch_model.bin", PICKLE), "pytorch_model.bin"),
    "checkpoint": (_write("model.pt", PICKLE), "model.pt"),
    "python": (_write("modeling_custom.py", b"print()"), "modeling_custom.py"),
    "folder": (lambda model: (model / "original").mkdir(), "original"),
    "pickle as safetensors": (_write("model.safetensors", PICKLE), "model.safetensors"),
    "pickle as tokenizer": (_write("tokenizer.model", PICKLE), "tokenizer.model"),
    "zip as tokenizer": (_write("tokenizer.model", b"PK\x03\x04rest"), "tokenizer.model"),
    "pickle as json": (_write("config.json", PICKLE), "config.json"),
    "no json": (_write("config.json", b"{"), "config.json"),
    "no text": (_write("chat_template.jinja", b"\xff\xfe"), "chat_template.jinja"),
    "python by reference": (_write("config.json", b'{"auto_map": {"A": "a.B"}}'), "auto_map"),
    "cut": (_cut, "model.safetensors"),
    "longer than its header says": (_lengthen, "model.safetensors"),
    "overlapping tensors": (_overlap, "model.safetensors"),
    "no weights": (lambda model: (model / "model.safetensors").unlink(), "safetensors"),
    "index names a missing file": (_index, "model-00002-of-00002.safetensors"),
    "link to a folder": (lambda model: (model / "x.json").symlink_to("/etc"), "x.json"),
}


@pytest.mark.parametrize("case", FLAWS)
def test_refused_by_name(case: str, model: Path) -> None:
    spoil, named = FLAWS[case]
    spoil(model)
    with pytest.raises(BundleError) as error:
        check_model_folder(model, REVISION)
    assert named in str(error.value)


def test_another_revision_is_refused(model: Path) -> None:
    with pytest.raises(BundleError, match="cannot verify that this is revision"):
        check_model_folder(model, "f" * 40)


def test_the_notes_of_the_hub_tell_the_revision(model: Path, tmp_path: Path) -> None:
    renamed = model.rename(tmp_path / "any-name")
    with pytest.raises(BundleError, match='a folder named "any-name"'):
        check_model_folder(renamed, REVISION)
    notes = renamed / ".cache" / "huggingface" / "download"
    notes.mkdir(parents=True)
    (notes / "config.json.metadata").write_text(f"{REVISION}\netag\n1.0\n")
    assert check_model_folder(renamed, REVISION)
    (notes / "model.safetensors.metadata").write_text(f"{'f' * 40}\netag\n1.0\n")
    with pytest.raises(BundleError, match="ffffffff"):
        check_model_folder(renamed, REVISION)
