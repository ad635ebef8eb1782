"""Keys: the private one is for its owner alone; openssl agrees about signatures."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from breakeven.bundle.archive.signing import (
    is_signed,
    key_id,
    make_keys,
    read_private_key,
    read_public_key,
)
from breakeven.bundle.errors import BundleError


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    make_keys(tmp_path / "a.key", tmp_path / "a.pub")
    return tmp_path / "a.key", tmp_path / "a.pub"


def test_a_new_pair_signs_and_verifies(keys: tuple[Path, Path]) -> None:
    private, public = keys
    signature = read_private_key(private).sign(b"content")
    assert is_signed(read_public_key(public), signature, b"content")
    assert not is_signed(read_public_key(public), signature, b"Content")
    assert not is_signed(read_public_key(public), signature[:-1], b"content")


def test_the_private_key_is_readable_by_its_owner_alone(keys: tuple[Path, Path]) -> None:
    private, _ = keys
    assert private.stat().st_mode & 0o777 == 0o600
    private.chmod(0o640)
    with pytest.raises(BundleError, match="chmod 600"):
        read_private_key(private)


def test_no_key_is_overwritten(keys: tuple[Path, Path], tmp_path: Path) -> None:
    private, public = keys
    before = private.read_bytes()
    with pytest.raises(BundleError, match="already exists"):
        make_keys(private, tmp_path / "b.pub")
    with pytest.raises(BundleError, match="already exists"):
        make_keys(tmp_path / "b.key", public)
    assert private.read_bytes() == before
    assert not (tmp_path / "b.key").exists()


def test_a_key_that_another_process_made_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = tmp_path / "a.key", tmp_path / "a.pub"
    private.write_text("of another process")
    monkeypatch.setattr(Path, "exists", lambda _: False)
    with pytest.raises(BundleError, match="already exists"):
        make_keys(private, public)
    assert private.read_text() == "of another process"
    assert [path.name for path in tmp_path.iterdir()] == ["a.key"]


def test_what_is_no_key_is_refused_without_showing_it(keys: tuple[Path, Path]) -> None:
    private, public = keys
    with pytest.raises(BundleError, match="not a public key") as error:
        read_public_key(private)
    assert "PRIVATE" not in str(error.value)
    public.chmod(0o600)
    with pytest.raises(BundleError, match="not a private key"):
        read_private_key(public)


def test_keys_of_another_kind_are_refused(tmp_path: Path) -> None:
    rsa = tmp_path / "rsa.key"
    subprocess.run(["openssl", "genrsa", "-out", rsa, "2048"], check=True, capture_output=True)
    rsa.chmod(0o600)
    with pytest.raises(BundleError, match="not an ed25519 key"):
        read_private_key(rsa)


def test_openssl_verifies_the_signature(keys: tuple[Path, Path], tmp_path: Path) -> None:
    private, public = keys
    (tmp_path / "content").write_bytes(b"content")
    (tmp_path / "signature").write_bytes(read_private_key(private).sign(b"content"))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin"]
    command += ["-in", str(tmp_path / "content"), "-sigfile", str(tmp_path / "signature")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Verified Successfully" in result.stdout


def test_the_identifier_is_that_of_the_public_half(keys: tuple[Path, Path]) -> None:
    private, public = keys
    assert key_id(read_private_key(private).public_key()) == key_id(read_public_key(public))
