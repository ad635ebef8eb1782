"""An identity provider of the test: signs tokens, and serves its public keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER, AUDIENCE = "https://login.example.com/realms/ai", "llm"


class Provider:
    """An identity provider.

    Args:
        context: Serves its keys by this; None where nobody fetches them.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.asked: list[str] = []
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        if context is not None:
            self._serve(context)

    def jwks(self) -> str:
        """The public keys."""
        numbers = self.key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "kid": "one",
            "alg": "RS256",
            "use": "sig",
            "n": _encoded(numbers.n.to_bytes(256, "big")),
            "e": _encoded(numbers.e.to_bytes(3, "big")),
        }
        return json.dumps({"keys": [key]})

    def token(self, *, algorithm: str = "RS256", **changed: object) -> str:
        """A token of team product, valid for five minutes; a claim of None is left out."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "team": "product",
            "iat": now,
            "exp": now + 300,
            **changed,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        header = {"typ": "JWT", "alg": algorithm, "kid": "one"}
        signed = f"{_encoded(json.dumps(header).encode())}.{_encoded(json.dumps(kept).encode())}"
        return f"{signed}.{_encoded(self._signature(algorithm, signed.encode()))}"

    def _signature(self, algorithm: str, content: bytes) -> bytes:
        if algorithm == "none":
            return b""
        if algorithm == "HS256":  # with what is public, as who confuses the kinds of keys accepts
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            public = self.key.public_key().public_bytes(serialization.Encoding.PEM, form)
            return hmac.new(public, content, hashlib.sha256).digest()
        return self.key.sign(content, padding.PKCS1v15(), hashes.SHA256())

    def stop(self) -> None:
        """Ends the server."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _serve(self, context: ssl.SSLContext) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(f"{self.headers['Host']}{self.path}")
                content = provider.jwks().encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
