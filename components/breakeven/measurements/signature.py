"""Whether records are signed by the key that a project trusts."""

from __future__ import annotations

from pathlib import Path

TRUSTED = "signing.pub"
"""Public key in the folder of the records; where it lies, only records signed by it are used."""


def unsigned_reason(path: Path, again: str) -> str:
    """Returns why a record must not be used; empty where it may be.

    Args:
        path: Record, with its signature in a file of the same name and `.sig`.
        again: How such a record is made: "measure", or "evaluate".
    """
    trusted = path.with_name(TRUSTED)
    if not trusted.is_file():
        return ""
    # Only here: it takes a while to import, and most projects sign nothing.
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(trusted.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        return f"{TRUSTED} is not an ed25519 key. Use the .pub file from breakeven bundle keygen"
    signature = path.with_name(f"{path.name}.sig")
    if not signature.is_file():
        return (
            f"is not signed, and {TRUSTED} asks for it. {again.capitalize()} again with --key, or "
            "remove it"
        )
    try:
        key.verify(signature.read_bytes(), path.read_bytes())
    except InvalidSignature:
        return (
            f"its signature does not match {TRUSTED}: the file was changed, or signed with "
            f"another key. Restore or remove it, or {again} again with --key"
        )
    return ""
