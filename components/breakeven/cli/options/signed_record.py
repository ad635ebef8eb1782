"""Records that `measure` and `evaluate` write, signed where a key is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import write_bytes
from breakeven.cli.files import write_whole
from breakeven.errors import UserError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KeyOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help="Private key that signs the record, from breakeven bundle keygen.",
    ),
]


class SigningError(UserError):
    """The key that is to sign a record cannot be used."""


def signing_key(path: Path | None) -> Ed25519PrivateKey | None:
    """Reads the key that is to sign; None where no record is to be signed.

    Raises:
        SigningError: It is missing, is none, or others may read it.
    """
    if path is None:
        return None
    # Only here: it takes a while to import, and most projects sign nothing.
    from breakeven.bundle.archive.signing import read_private_key  # noqa: PLC0415

    try:
        return read_private_key(path)
    except BundleError as error:
        raise SigningError(str(error)) from error


def write_record(path: Path, text: str, key: Ed25519PrivateKey | None) -> None:
    """Writes a record, and its signature next to it; an older signature never stays.

    Args:
        path: Of the record; its folder is made.
        text: The record, with its last line ended.
        key: Signs it; None for no signature.

    Raises:
        OutputError: It cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    signature = path.with_name(f"{path.name}.sig")
    signature.unlink(missing_ok=True)
    write_whole(path, text)
    if key is not None:
        write_bytes(signature, key.sign(text.encode()))
