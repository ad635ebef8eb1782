"""Stands in for the world outside: the hub of models, and an API, at one address with TLS.

    python -m node.outside ADDRESS FOLDER

It serves the files of FOLDER/hub as any repository at any revision, and answers chat completions.
It rejects one token as the hub rejects a revoked one, and another as that of a user without access.
What it was asked is written to standard output, without keys.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_REPOSITORY = r"([^/]+/[^/]+)"
_COMMIT = r"([0-9a-f]{40})"
_INFO = re.compile(rf"/api/models/{_REPOSITORY}/revision/{_COMMIT}")
_TREE = re.compile(rf"/api/models/{_REPOSITORY}/tree/{_COMMIT}/?")
REJECTED, GATED = "hf_rejected", "hf_gated"
_FILE = re.compile(rf"/{_REPOSITORY}/resolve/{_COMMIT}/(.+)")


class Outside(BaseHTTPRequestHandler):
    """Answers as the hub does, as far as its client asks, and as an API of chat completions."""

    protocol_version = "HTTP/1.1"
    folder: Path

    def do_HEAD(self) -> None:
        """Say what a file is."""
        self._answer()

    def do_GET(self) -> None:
        """Send a file, or what is known of a repository."""
        self._answer()

    def do_POST(self) -> None:
        """Answer a chat completion."""
        length = int(self.headers.get("Content-Length", 0))
        asked = json.loads(self.rfile.read(length) or b"{}")
        print("POST", self.path, asked.get("model"), flush=True)  # noqa: T201  # its log
        message = {"role": "assistant", "content": "from the API"}
        answer = {
            "id": "chatcmpl-outside",
            "object": "chat.completion",
            "created": 1,
            "model": asked.get("model"),
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
        }
        self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _answer(self) -> None:
        path = self.path.split("?")[0]
        print(self.command, path, flush=True)  # noqa: T201  # its log
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token == REJECTED:
            words = "Invalid credentials in Authorization header"
            self._send(401, b"{}", {"X-Error-Message": words})
        elif token == GATED:
            words = "Access to this model is restricted and you are not in the authorized list"
            self._send(403, b"{}", {"X-Error-Code": "GatedRepo", "X-Error-Message": words})
        elif match := _INFO.fullmatch(path):
            self._send_json(self._info(match[1], match[2]))
        elif _TREE.fullmatch(path):
            self._send_json([self._entry(file) for file in self._files()])
        elif (match := _FILE.fullmatch(path)) and (self.folder / match[3]).is_file():
            data = (self.folder / match[3]).read_bytes()
            etag = f'"{hashlib.sha256(data).hexdigest()}"'
            linked = {"X-Linked-Size": str(len(data)), "X-Linked-Etag": etag}
            headers = {"ETag": etag, "X-Repo-Commit": match[2], **linked}
            self._send(200, data, {**headers, "Content-Type": "application/octet-stream"})
        else:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})

    def _files(self) -> list[Path]:
        return sorted(each for each in self.folder.iterdir() if each.is_file())

    def _info(self, repository: str, commit: str) -> dict[str, Any]:
        siblings = [self._entry(file) for file in self._files()]
        return {
            "id": repository,
            "modelId": repository,
            "sha": commit,
            "tags": [],
            **dict.fromkeys(("private", "gated", "disabled"), False),
            **dict.fromkeys(("downloads", "likes"), 0),
            "siblings": [
                {"rfilename": each["path"], "blobId": each["oid"], **each} for each in siblings
            ],
        }

    @staticmethod
    def _entry(file: Path) -> dict[str, Any]:
        data = file.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
        entry: dict[str, Any] = {"type": "file", "path": file.name, "size": len(data), "oid": blob}
        if file.suffix == ".safetensors":
            entry["lfs"] = {
                "sha256": digest,
                "oid": digest,
                "size": len(data),
                "pointerSize": 134,
            }
        return entry

    def _send_json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing besides."""


def main(address: str, folder: Path) -> None:
    """Serve until the process is ended."""
    Outside.folder = folder / "hub"
    server = ThreadingHTTPServer((address, 443), Outside)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "outside.crt", folder / "outside.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
