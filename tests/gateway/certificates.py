"""A certificate authority of the test, and a server's certificate from it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def server_context(folder: Path, *names: str) -> ssl.SSLContext:
    """Writes `ca.pem` for clients, and returns what a server of these names speaks TLS by.

    The server's files are there as well, as in a Secret: `tls.crt` and `tls.key`.
    """
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the test")])
    basic = x509.BasicConstraints(ca=True, path_length=None)
    root = _builder(authority, authority, authority_key.public_key())
    certificate = root.add_extension(basic, critical=True).sign(authority_key, hashes.SHA256())
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    known = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    server = _builder(subject, authority, key.public_key())
    signed = server.add_extension(known, critical=False).sign(authority_key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = signed.public_bytes(serialization.Encoding.PEM)
    # As a mounted Secret changes: a new file takes the place of the old one.
    for name, content in (("tls.key", private), ("tls.crt", public)):
        (folder / f".{name}").write_bytes(content)
        (folder / f".{name}").rename(folder / name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
    )
