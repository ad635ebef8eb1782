"""The commands of `breakeven bundle` for those who receive one; all verify it first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from breakeven.bundle.archive.opening import Bundle, check_bundle, open_base, open_bundle
from breakeven.bundle.archive.signing import read_public_key
from breakeven.bundle.archive.unpack import check_unpacked
from breakeven.bundle.archive.unpack import unpack as unpack_bundle
from breakeven.bundle.fill import fill
from breakeven.bundle.load import load as load_images
from breakeven.bundle.lock import Lock, lock_of
from breakeven.bundle.log import append, read_log
from breakeven.bundle.pack import LOCK
from breakeven.bundle.releases import refuse_older, release_details
from breakeven.cli.bundle import options
from breakeven.cli.progress.byte_progress import byte_progress

Unpacked = Annotated[
    Path,
    typer.Option(
        "--to", help="Folder to unpack into, or where breakeven bundle unpack has unpacked it."
    ),
]
AllowOlder = Annotated[
    bool,
    typer.Option("--allow-older", help="Accept a bundle that is older than one in the log."),
]


def verify(
    folder: options.Folder,
    key: options.Key,
    base: options.Base = None,
    log_file: options.Log = options.LOG,
) -> None:
    """Check the signature and every byte of a bundle. Needs no network and trusts nothing.

    Example: breakeven bundle verify on-prem-bundle --key release.pub
    """
    opened, below = _open(folder, key, base)
    with byte_progress(_bytes(opened, below)) as count:
        check_bundle(opened, below, count)
    manifest = opened.manifest
    append(log_file, "verify", str(folder), manifest.digest, release_details(manifest))
    typer.echo(f"verified: {len(manifest.files)} files for {manifest.stack}")
    typer.echo(f"bundle {manifest.digest}, release {manifest.release}, key {manifest.signer}")


def unpack(  # noqa: PLR0913, PLR0917  # the options of the command
    folder: options.Folder,
    key: options.Key,
    to: Annotated[Path, typer.Option("--to", help="New folder to unpack into.")],
    base: options.Base = None,
    allow_older: AllowOlder = False,  # noqa: FBT002  # a flag of the command line
    log_file: options.Log = options.LOG,
) -> None:
    """Verify a bundle and unpack it. The folder appears after every byte has been checked.

    Example: breakeven bundle unpack on-prem-bundle --key release.pub --to on-prem
    """
    opened, below = _open_to_use(folder, key, base, log_file, allow_older=allow_older)
    manifest = opened.manifest
    with byte_progress(_bytes(opened, below)) as count:
        unpack_bundle(opened, below, to, count)
    append(log_file, "unpack", str(to), manifest.digest, release_details(manifest))
    typer.echo(f"{to}: {len(manifest.files)} files; next: {to}/program/docs/air-gap.md")


def load(  # noqa: PLR0913, PLR0917  # as above
    folder: options.Folder,
    key: options.Key,
    to: Unpacked,
    registry: Annotated[
        str,
        typer.Option(
            "--registry",
            help="Registry to push to, HOST:PORT/PREFIX; port and prefix are optional.",
        ),
    ],
    base: options.Base = None,
    allow_older: AllowOlder = False,  # noqa: FBT002  # as above
    log_file: options.Log = options.LOG,
) -> None:
    """Verify a bundle, push its images to a registry, and read each digest back.

    Images that the registry already has are not sent again. Uses the credentials of docker login or
    oras login.

    Example: breakeven bundle load on-prem-bundle --key release.pub --to on-prem
    --registry registry.internal
    """
    opened, below = _open_to_use(folder, key, base, log_file, allow_older=allow_older)
    lock = _unpacked(opened, below, to)
    for image in load_images(lock, to, registry, _say):
        details = {
            **release_details(opened.manifest),
            "bundle": opened.manifest.digest,
            "registry": registry,
        }
        append(log_file, "load", image.reference, image.reference.rpartition(":")[2], details)
        typer.echo(f"{'already there' if image.was_there else 'pushed'}: {image.reference}")


def fill_volume(  # noqa: PLR0913, PLR0917  # as above
    folder: options.Folder,
    key: options.Key,
    to: Unpacked,
    volume: Annotated[
        Path, typer.Option("--volume", help="Local mount point of the volume of weights.claim.")
    ],
    base: options.Base = None,
    allow_older: AllowOlder = False,  # noqa: FBT002  # as above
    log_file: options.Log = options.LOG,
) -> None:
    """Verify a bundle, write its model to a volume, and read each file back.

    For stacks with weights.claim; stacks with weights.image only need the registry.

    Example: breakeven bundle fill on-prem-bundle --key release.pub --to on-prem
    --volume /mnt/weights
    """
    opened, below = _open_to_use(folder, key, base, log_file, allow_older=allow_older)
    lock = _unpacked(opened, below, to)
    size = sum(file.size for file in lock.model.files)
    with byte_progress(2 * size) as count:
        filled = fill(lock.model, to, volume, count)
    details = {**release_details(opened.manifest), "revision": lock.model.revision}
    append(log_file, "fill", str(volume), opened.manifest.digest, details)
    for file in filled:
        typer.echo(f"{'already there' if file.was_there else 'written'}: {file.path}")


def _open(folder: Path, key: Path, base: Path | None) -> tuple[Bundle, Bundle | None]:
    trusted = read_public_key(key)
    opened = open_bundle(folder, trusted)
    return opened, open_base(opened, base, trusted)


def _open_to_use(
    folder: Path, key: Path, base: Path | None, log_file: Path, *, allow_older: bool
) -> tuple[Bundle, Bundle | None]:
    opened, below = _open(folder, key, base)
    if not allow_older and log_file.exists():
        refuse_older(opened.manifest, read_log(log_file), str(folder))
    return opened, below


def _unpacked(opened: Bundle, below: Bundle | None, to: Path) -> Lock:
    """Unpacks a bundle, or checks an unpacked one; returns its lock."""
    if to.is_dir():
        _say(f"checking {to}")
        check_unpacked(to, opened)
    else:
        with byte_progress(_bytes(opened, below)) as count:
            unpack_bundle(opened, below, to, count)
    return lock_of(opened.manifest, (to / LOCK).read_bytes(), str(to / LOCK))


def _bytes(opened: Bundle, base: Bundle | None) -> int:
    return opened.manifest.archive_size + (base.manifest.archive_size if base else 0)


def _say(text: str) -> None:
    typer.echo(text, err=True)
