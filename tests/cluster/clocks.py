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

from rig.certificates import Authority
from rig.ports import LOOPBACK


@contextmanager
def kubeconfig_of_an_earlier_clock(kubeconfig: Path, folder: Path) -> Iterator[Path]:
    """Yields a kubeconfig that leads to a server whose certificate begins tomorrow.

    So it is to a machine whose clock is a day late. No request comes further than this server.
    """
    authority = Authority(folder, "ca")
    tomorrow = datetime.now(tz=UTC) + timedelta(days=1)
    pair = authority.issue("tomorrow", "localhost", hosts=["localhost"], begins=tomorrow)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)

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
            each["cluster"]["certificate-authority"] = str(authority.certificate)
            each["cluster"]["server"] = f"https://localhost:{server.server_address[1]}"
        written = folder / "kubeconfig"
        written.write_text(yaml.safe_dump(document), encoding="utf-8")
        try:
            yield written
        finally:
            server.shutdown()
