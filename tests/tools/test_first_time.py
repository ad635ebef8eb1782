"""The first commands inside an air gap refuse a bundle that was tampered with, and run none of it.

They are those of docs/air-gap.md, run by a shell with the real openssl, sha256sum and Python.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from breakeven.bundle.archive import first_time
from tests.first_time_commands import first_time_commands
from tests.unit.bundle.builders import KEY, OTHER_KEY, Site, make_site

RELEASE = 2
MARK = "ran"
PAYLOAD = f"open({MARK!r}, 'w').close()\n".encode()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = make_site(tmp_path_factory.mktemp("site"), release=RELEASE)
    site.pack()
    site.pack("by-another-key", OTHER_KEY)
    return site


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = make_site(
        tmp_path_factory.mktemp("older"), release=RELEASE - 1, text="an older program\n"
    )
    site.pack()
    return site


@pytest.fixture
def bundle(site: Site, tmp_path: Path) -> Path:
    """A copy that a test can tamper with, next to the key."""
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "release.pub").write_bytes(public)
    return Path(shutil.copytree(site.folder / "bundle", tmp_path / "bundle"))


def documented(bundle: Path) -> str:
    """The commands of the page, with the places of the test."""
    key, target = bundle.parent / "release.pub", bundle.parent / "installed"
    return first_time_commands(bundle, key, RELEASE, target)


def unpacking_alone(bundle: Path) -> str:
    """The last command, as if somebody had left the others out."""
    return documented(bundle).replace("&& sha256sum", ";: ").replace("&& openssl", ";: ")


def run(commands: str) -> subprocess.CompletedProcess[str]:
    python = Path(sys.executable).resolve().parent
    return subprocess.run(
        ["sh", "-c", commands],
        env={**os.environ, "PATH": f"{python}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )


def member(name: str, mode: int = 0o644) -> bytes:
    """A member of an archive that marks its run."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(PAYLOAD), mode
    padding = bytes(-len(PAYLOAD) % 512)
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict") + PAYLOAD + padding


def last_part(bundle: Path) -> Path:
    return max(bundle.glob("bundle.tar.*"))


def append_after_the_end(bundle: Path, *_: Site) -> None:
    with last_part(bundle).open("ab") as part:
        part.write(member("json.py") + bytes(1024))


def append_before_the_end(bundle: Path, *_: Site) -> None:
    part = last_part(bundle)
    content = part.read_bytes()
    part.write_bytes(content[:-1024] + member("program/tools/bootstrap/shutil.py") + bytes(1024))


def set_id_member(bundle: Path, *_: Site) -> None:
    part = last_part(bundle)
    part.write_bytes(part.read_bytes()[:-1024] + member("program/run", 0o4755) + bytes(1024))


def shadow_modules(bundle: Path, *_: Site) -> None:
    for name in ("json.py", "tarfile.py", "argparse.py", "sitecustomize.py"):
        (bundle / name).write_bytes(PAYLOAD)


def extra_part(bundle: Path, *_: Site) -> None:
    (bundle / "bundle.tar.9999").write_bytes(member("json.py"))


def swapped_parts(bundle: Path, *_: Site) -> None:
    first, second = sorted(bundle.glob("bundle.tar.*"))[:2]
    aside = bundle.parent / "aside"
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


def missing_part(bundle: Path, *_: Site) -> None:
    last_part(bundle).unlink()


def linked_part(bundle: Path, *_: Site) -> None:
    part = last_part(bundle)
    part.rename(bundle.parent / "elsewhere")
    part.symlink_to(bundle.parent / "elsewhere")


def flipped_bit(bundle: Path, *_: Site) -> None:
    content = bytearray(last_part(bundle).read_bytes())
    content[700] ^= 1
    last_part(bundle).write_bytes(content)


def replaced_verifier(bundle: Path, *_: Site) -> None:
    (bundle / "unpack.py").write_bytes(PAYLOAD)


def replaced_sums(bundle: Path, *_: Site) -> None:
    replaced_verifier(bundle)
    lines = (bundle / "bundle.sums").read_text().splitlines()
    (bundle / "bundle.sums").write_text("\n".join(lines[:-1]) + "\n")


def parts_of_another_release(bundle: Path, older: Site, *_: Site) -> None:
    for part in (older.folder / "bundle").glob("bundle.tar.*"):
        shutil.copy(part, bundle)


def older_release(bundle: Path, older: Site, *_: Site) -> None:
    shutil.rmtree(bundle)
    shutil.copytree(older.folder / "bundle", bundle)


def manifest_of_another_release(bundle: Path, older: Site, *_: Site) -> None:
    for name in ("bundle.json", "bundle.json.sig"):
        shutil.copy(older.folder / "bundle" / name, bundle)


def another_key(bundle: Path, _: Site, site: Site) -> None:
    shutil.rmtree(bundle)
    shutil.copytree(site.folder / "by-another-key", bundle)


def no_signature(bundle: Path, *_: Site) -> None:
    (bundle / "bundle.sums.sig").unlink()


def pipe_instead_of_a_signature(bundle: Path, *_: Site) -> None:
    """A reader of it waits forever."""
    (bundle / "bundle.json.sig").unlink()
    os.mkfifo(bundle / "bundle.json.sig")


def pipe_instead_of_a_part(bundle: Path, *_: Site) -> None:
    part = last_part(bundle)
    part.unlink()
    os.mkfifo(part)


def escapes_in_a_name(bundle: Path, *_: Site) -> None:
    (bundle / "\x1b]0;owned\x07\nverified").write_bytes(PAYLOAD)


TAMPERED: list[Callable[[Path, Site, Site], None]] = [
    another_key,
    escapes_in_a_name,
    append_after_the_end,
    append_before_the_end,
    extra_part,
    flipped_bit,
    linked_part,
    manifest_of_another_release,
    missing_part,
    no_signature,
    older_release,
    parts_of_another_release,
    pipe_instead_of_a_signature,
    replaced_sums,
    replaced_verifier,
    set_id_member,
    shadow_modules,
    swapped_parts,
]


def test_an_untouched_bundle_is_unpacked_as_it_was_packed(bundle: Path, site: Site) -> None:
    done = run(documented(bundle))
    assert done.returncode == 0, done.stdout
    installed = bundle.parent / "installed"
    program = installed / "program" / "components" / "program.py"
    assert program.read_text() == "a program\n"
    modes = {
        path.relative_to(installed).as_posix(): path.stat().st_mode & 0o7777
        for path in installed.rglob("*")
        if path.is_file()
    }
    assert modes.pop("cache/programs/key/bin/run") == 0o755
    assert set(modes.values()) == {0o644}
    assert modes.keys() | {"cache/programs/key/bin/run"} == {
        *(entry.path for entry in site.contents().entries),
        "bundle.json",
        "bundle.json.sig",
    }


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda each: each.__name__)
def test_a_tampered_bundle_is_refused_and_nothing_of_it_runs(
    bundle: Path, site: Site, older: Site, tamper: Callable[[Path, Site, Site], None]
) -> None:
    tamper(bundle, older, site)
    done = run(documented(bundle))
    assert done.returncode != 0, done.stdout
    assert not (bundle.parent / "installed").exists()
    assert not list(bundle.parent.rglob(MARK))


@pytest.mark.parametrize(
    "tamper",
    # A replaced program can do anything: that it never runs is what the commands before it are for.
    # sha256sum waits for a pipe, so that one is not part of the commands above.
    [
        *(each for each in TAMPERED if each not in {replaced_verifier, replaced_sums}),
        pipe_instead_of_a_part,
    ],
    ids=lambda each: each.__name__,
)
def test_the_program_alone_refuses_it_as_well_and_says_why(
    bundle: Path, site: Site, older: Site, tamper: Callable[[Path, Site, Site], None]
) -> None:
    tamper(bundle, older, site)
    done = run(unpacking_alone(bundle))
    assert done.returncode == 1, done.stdout
    assert "error: " in done.stdout
    assert "Nothing was unpacked." in done.stdout
    assert "Traceback" not in done.stdout
    assert all(line.isprintable() for line in done.stdout.splitlines())
    assert done.stdout.count("\n") == len(done.stdout.splitlines()) == 2
    assert not (bundle.parent / "installed").exists()
    assert not list(bundle.parent.glob("*.unpacking"))
    assert not list(bundle.parent.rglob(MARK))


def test_it_runs_isolated_only(bundle: Path) -> None:
    done = run(documented(bundle).replace("python3 -I", "python3"))
    assert done.returncode == 1
    assert "python3 -I" in done.stdout


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE]
)
def test_only_plain_files_are_written_even_from_a_signed_archive(
    tmp_path: Path, kind: bytes
) -> None:
    entry = tarfile.TarInfo("etc")
    entry.type, entry.linkname = kind, "/etc"
    listed = {"path": "etc", "size": 0, "sha256": "0" * 64}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(entry)
    (tmp_path / "bundle.tar.0000").write_bytes(buffer.getvalue())
    with pytest.raises(first_time.Refused):
        first_time._write_files(tmp_path, {"bundle.tar.0000": ""}, [listed], tmp_path / "to")
    assert not (tmp_path / "to" / "etc").exists()
