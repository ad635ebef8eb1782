"""A delta: a signed bundle with what a newer bundle has and an older one lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from breakeven.bundle.archive.archive import drain, read_archive
from breakeven.bundle.archive.manifest import Entry
from breakeven.bundle.archive.opening import Bundle, nothing
from breakeven.bundle.archive.parts import Count, PartWriter
from breakeven.bundle.archive.signing import key_id
from breakeven.bundle.archive.tar_format import END, padding
from breakeven.bundle.errors import BundleError
from breakeven.bundle.pack import Order, seal


def make_delta(old: Bundle, new: Bundle, order: Order, count: Count = nothing) -> Bundle:
    """Writes what `new` has and `old` lacks.

    Both are whole, opened bundles. With `old`, the delta gives `new`.

    Raises:
        BundleError: One is itself a delta, or from another stack, or `new` is damaged.
    """
    for bundle in (old, new):
        if bundle.manifest.base:
            msg = f"{bundle.folder}: is a delta. Name a full bundle"
            raise BundleError(msg)
    if old.manifest.stack != new.manifest.stack:
        msg = (
            f"{old.folder} is for stack {old.manifest.stack}, but {new.folder} is for "
            f"{new.manifest.stack}. Name two bundles of one stack"
        )
        raise BundleError(msg)
    held = {(entry.path, entry.sha256, entry.size) for entry in old.manifest.files}
    manifest = replace(
        new.manifest,
        signer=key_id(order.key.public_key()),
        part_size=order.part_size,
        base=old.manifest.digest,
        files=tuple(
            replace(entry, in_base=(entry.path, entry.sha256, entry.size) in held)
            for entry in new.manifest.files
        ),
    )
    kept = {entry.path for entry in manifest.stored}

    def write(folder: Path) -> None:
        writer = PartWriter(folder, manifest.parts())

        def sink(entry: Entry, pieces: Iterator[bytes]) -> None:
            if entry.path not in kept:
                drain(entry, pieces)
                return
            writer.write(entry.header)
            for block in pieces:
                writer.write(block)
            writer.write(padding(entry.size))

        try:
            read_archive(new.folder, new.manifest, sink, count)
            writer.write(END)
        finally:
            writer.abandon()

    return seal(manifest, write, order, count)
