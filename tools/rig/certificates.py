"""Certificates of a rig: authorities, a server's, an administrator's, a front proxy's."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID = timedelta(days=366)
_BOTH_USES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        """Make its key and its own certificate.

        Args:
            folder: Where files go; it is made where there is none.
            name: Name of the authority and of its file.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        certificate = (
            _builder(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = folder / f"{name}.crt"
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        file: str,
        name: str,
        *,
        group: str = "",
        hosts: Sequence[str] = (),
        begins: datetime | None = None,
    ) -> Pair:
        """Sign a certificate for a client, or for a server when hosts are given.

        Args:
            file: Name of the two files, without ending.
            name: Whom it names; to Kubernetes the user.
            group: To Kubernetes the user's group.
            hosts: Names and addresses under which the server is called.
            begins: From when on it is valid; since yesterday if None.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name, group), self._name, key, begins).add_extension(
            x509.ExtendedKeyUsage(_BOTH_USES), critical=False
        )
        if hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        pair = Pair(self._folder / f"{file}.crt", self._folder / f"{file}.key")
        pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        write_key(pair.key, key)
        return pair


def write_all(folder: Path, hosts: Sequence[str]) -> Authority:
    """Make what every cluster needs: authorities, a server, an administrator, a front proxy.

    Args:
        folder: Where files go.
        hosts: Names and addresses under which the cluster's own servers are called.

    Returns:
        The authority, for further certificates.
    """
    authority = Authority(folder, "ca")
    authority.issue("tls", "localhost", hosts=hosts)
    authority.issue("admin", "rig-administrator", group="system:masters")
    write_signing_key(folder)
    proxies = Authority(folder / "front-proxy", "ca")
    proxies.issue("front-proxy", "front-proxy")
    return authority


def write_key(file: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a private key that only this user can read."""
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as writer:
        writer.write(text)


def write_signing_key(folder: Path) -> Pair:
    """Make the key with which tokens of service accounts are signed, and its public half."""
    key = ec.generate_private_key(ec.SECP256R1())
    pair = Pair(folder / "service-accounts.pub", folder / "service-accounts.key")
    write_key(pair.key, key)
    pair.certificate.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return pair


def _name(name: str, group: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: datetime | None = None,
) -> x509.CertificateBuilder:
    # A clock that is a little late accepts it, too.
    begins = begins or datetime.now(tz=UTC) - timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + _VALID)
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
