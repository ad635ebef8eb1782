"""The bytes of lock, manifest and log are signed and hashed: versions keep them the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from breakeven.bundle.archive.manifest import Entry, Manifest, parse_manifest
from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import sha256_of_bytes
from breakeven.bundle.lock import Lock, LockedFile, LockedImage, LockedModel, parse_lock
from breakeven.bundle.log import LogEntry, parse
from breakeven.bundle.registry.model_image import ModelFile
from breakeven.bundle.registry.oci import Blob
from breakeven.bundle.registry.references import parse_reference

ZEROS = "0" * 64
BLOB = Blob(f"sha256:{'a' * 64}", 3, "x/y")
REFERENCE = parse_reference(f"docker.io/a/b:tag@sha256:{'a' * 64}")
assert REFERENCE is not None

LOCK = Lock(
    stack="s",
    release=2,
    version="v",
    platform="p",
    images=(LockedImage(REFERENCE, BLOB, (BLOB,), ("D/é",)),),
    model=LockedModel("n", "r", "v", "l", (ModelFile("f", 1, "c", BLOB),)),
    files=(LockedFile("p", 1, "s", executable=True), LockedFile("q", 1, "s")),
    custom_resources={"b": "2", "a": ""},
)
MANIFEST = Manifest(
    "s",
    1,
    ZEROS,
    ZEROS,
    4096,
    "",
    (
        Entry("a", 0, ZEROS),
        Entry("b", 1, ZEROS, executable=True),
        Entry("c", 1, ZEROS, in_base=True),
        Entry("d", 1, ZEROS, executable=True, in_base=True),
    ),
)
ENTRY = LogEntry(
    sequence=1,
    previous=ZEROS,
    time="t",
    user="u",
    host="h",
    action="a",
    subject="a name that is not UTF-8: \udc80",
    digest="d",
    details={"z": "é", "a": "1"},
)


def test_the_bytes_of_the_lock_stay() -> None:
    digest = "68b730bb10b6f3a914448e9001f4f6c121697f425370ecd9d04b816f386b9c2c"
    assert LOCK.digest == digest
    assert parse_lock(LOCK.as_bytes(), "lock.json") == LOCK


def test_the_bytes_of_the_manifest_stay() -> None:
    digest = "7b3e4c28f7324968983ac75fba8661a5b844b41d010457e6a110c86f726c9cca"
    assert MANIFEST.digest == digest
    assert parse_manifest(MANIFEST.as_bytes(), "bundle.json") == MANIFEST


def test_the_bytes_of_a_line_of_the_log_stay() -> None:
    assert (
        sha256_of_bytes(ENTRY.line())
        == "d4de77aa6d80b287054b811b9d27311ad41cc5ec99dca2f46ddd1470aaf9ecd2"
    )
    assert parse(ENTRY.line(), "log") == (ENTRY,)


@pytest.mark.parametrize(
    ("read", "content", "before", "after", "mistake"),
    [
        (parse_lock, LOCK.as_bytes(), '"release": 2', '"release": 0', "release is 0; .*1 or more"),
        (parse_lock, LOCK.as_bytes(), "lock/1", "lock/2", 'format is "breakeven-lock/2"'),
        (parse_lock, LOCK.as_bytes(), "docker.io/a", "docker", r"images\[0\]\.reference is"),
        (parse_lock, LOCK.as_bytes(), '"size": 3', '"size": "3"', "a whole number"),
        (parse_manifest, MANIFEST.as_bytes(), "4096", "5", "partSize is 5; allowed: 1024 or more"),
        (parse_manifest, MANIFEST.as_bytes(), '"base": ""', '"base": "x"', 'base is "x"'),
        (parse_manifest, MANIFEST.as_bytes(), '"stack"', '"stak"', "stack is missing"),
    ],
)
def test_a_document_of_another_format_says_what_is_wrong(
    read: Callable[[bytes, str], object], content: bytes, before: str, after: str, mistake: str
) -> None:
    changed = content.replace(before.encode(), after.encode())
    assert changed != content
    with pytest.raises(BundleError, match=mistake):
        read(changed, "document")
