"""Keys and signatures: ed25519, without any network.

A signature is the 64 bytes that RFC 8032 defines over the manifest's bytes, so that openssl checks
it too, on a machine that does not have this program yet.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from breakeven.bundle.errors import BundleError
from breakeven.bundle.files import read_regular, write_bytes

_KEY_LIMIT = 4096
_FOR_OTHERS = 0o077
_PUBLIC = PublicFormat.SubjectPublicKeyInfo


def make_keys(private: Path, public: Path) -> str:
    """Writes a new pair of keys; returns the identifier of the pair.

    Args:
        private: The signing key; readable only by its owner.
        public: The verifying key; recipients of bundles get it through another channel.

    Raises:
        BundleError: A file already exists, or cannot be written.
    """
    for path in (private, public):
        if path.exists() or path.is_symlink():
            msg = f"{path}: already exists, and keys are never overwritten. Name another file"
            raise BundleError(msg)
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_bytes(private, secret, mode=0o600, new=True)
    write_bytes(public, key.public_key().public_bytes(Encoding.PEM, _PUBLIC), new=True)
    return key_id(key.public_key())


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Reads a signing key.

    Raises:
        BundleError: It is not such a key, or other users of this machine may read it.
    """
    missing = "key file not found. Create one: breakeven bundle keygen"
    content = read_regular(path, _KEY_LIMIT, missing)
    mode = path.stat().st_mode & 0o777
    if mode & _FOR_OTHERS:
        msg = f"{path}: has mode {mode:04o}, so others can read it. Run: chmod 600 {path}"
        raise BundleError(msg)
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"{path}: not a private key. Create one: breakeven bundle keygen"
        raise BundleError(msg) from error
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{path}: not an ed25519 key. Create one: breakeven bundle keygen"
        raise BundleError(msg)
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Reads a verifying key.

    Raises:
        BundleError: It is not such a key.
    """
    missing = "key file not found. Name the .pub file of the signer that you trust"
    content = read_regular(path, _KEY_LIMIT, missing)
    try:
        key = load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        msg = f"{path}: not a public key. Use the .pub file from breakeven bundle keygen"
        raise BundleError(msg) from error
    if not isinstance(key, Ed25519PublicKey):
        msg = f"{path}: not an ed25519 key. Use the .pub file from breakeven bundle keygen"
        raise BundleError(msg)
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """Returns the identifier of a key: SHA-256 of its public half as DER, hexadecimal digits."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, _PUBLIC)).hexdigest()


def is_signed(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    """Tells whether a signature is one of this key over exactly these bytes."""
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
