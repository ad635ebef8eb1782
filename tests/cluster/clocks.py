"""The clock of the machine from which a stack is deployed is off."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from rig.ports import LOOPBACK


@contextmanager
def kubeconfig_of_an_earlier_clock(kubeconfig: Path, folder: Path) -> Iterator[Path]:
    """Yields a kubeconfig that leads to a server whose certificate begins tomorrow.

    So it is to a machine whose clock is a day late. No request comes further than this server.
    """
    certificate, key = _certificate_from_tomorrow(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Handshake(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            try:
                context.wrap_socket(self.request, server_side=True).close()
            except (ssl.SSLError, OSError):
                """The client hangs up: it has looked at its clock."""

    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Handshake) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        document = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        for each in document["clusters"]:
            each["cluster"].pop("certificate-authority-data", None)
            each["cluster"]["certificate-authority"] = str(certificate)
            each["cluster"]["server"] = f"https://localhost:{server.server_address[1]}"
        written = folder / "kubeconfig"
        written.write_text(yaml.safe_dump(document), encoding="utf-8")
        try:
            yield written
        finally:
            server.shutdown()


def _certificate_from_tomorrow(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LOOPBACK)])
    begins = datetime.now(tz=UTC) + timedelta(days=1)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "tomorrow.crt", folder / "tomorrow.key"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private
