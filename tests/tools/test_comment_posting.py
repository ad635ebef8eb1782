"""The comment is put there once and kept current, over a real connection.

The forge is a stand-in on loopback that answers as GitHub's and GitLab's documentation says: pages
of comments with a Link header, POST for a new one, PATCH or PUT for one that is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from breakeven.settings.files import ROOT

SECRET = "a-token-that-nobody-may-see"
MARK = "<!-- breakeven cost of stack dev -->"
PAGE = 100
SELF = "bot"
"""User whose token it is."""


def author(name: str) -> dict[str, Any]:
    """Returns who wrote a comment, in the fields of both forges."""
    return {"user": {"login": name}, "author": {"username": name}}


class Forge(ThreadingHTTPServer):
    """A stand-in for a forge, with the comments of one request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.comments: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.status = 200
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.next_pages = self.address


class _Answers(BaseHTTPRequestHandler):
    server: Forge

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        if self.path.endswith("/user"):
            self._answer({"username": SELF})
            return
        page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
        shown = self.server.comments[(page - 1) * PAGE : page * PAGE]
        path = urlsplit(self.path).path
        more = len(self.server.comments) > page * PAGE
        link = f'<{self.server.next_pages}{path}?per_page=100&page={page + 1}>; rel="next"'
        self._answer(shown, link if more else "")

    def do_POST(self) -> None:
        number = len(self.server.comments) + 1
        comment = {"id": number, **author(SELF), **self._content()}
        self.server.comments.append(comment)
        self._answer(comment)

    def do_PATCH(self) -> None:
        number = int(self.path.rpartition("/")[2])
        [comment] = [one for one in self.server.comments if one["id"] == number]
        comment.update(self._content())
        self._answer(comment)

    def do_PUT(self) -> None:
        self.do_PATCH()

    def _content(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return found

    def _answer(self, content: object, link: str = "") -> None:
        self.server.asked.append((self.command, self.path))
        token = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization") or ""
        known = token.removeprefix("Bearer ") == SECRET
        self.send_response(self.server.status if known else 401)
        if link:
            self.send_header("Link", link)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())


@contextmanager
def serving() -> Iterator[Forge]:
    server = Forge()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def forge() -> Iterator[Forge]:
    with serving() as server:
        yield server


@pytest.fixture
def elsewhere() -> Iterator[Forge]:
    with serving() as server:
        yield server


def post(forge: Forge, kind: str, file: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "GITHUB_API_URL": forge.address,
        "GITHUB_REPOSITORY": "owner/name",
        "PULL": "7",
        "GITHUB_TOKEN": SECRET,
        "COMMENT_AUTHOR": SELF,
        "CI_API_V4_URL": f"{forge.address}/api/v4",
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "7",
        "COMMENT_TOKEN": SECRET,
        **changed,
    }
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "comment" / "post.py", kind, "dev", file],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def cost(folder: Path, text: str) -> Path:
    file = folder / "cost.md"
    file.write_text(f"{MARK}\n{text}\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("kind", "new", "changed"),
    [
        (
            "github",
            ("POST", "/repos/owner/name/issues/7/comments"),
            ("PATCH", "/repos/owner/name/issues/comments/151"),
        ),
        (
            "gitlab",
            ("POST", "/api/v4/projects/3/merge_requests/7/notes"),
            ("PUT", "/api/v4/projects/3/merge_requests/7/notes/151"),
        ),
    ],
)
def test_there_is_one_comment_and_it_is_the_newest(
    forge: Forge, tmp_path: Path, kind: str, new: tuple[str, str], changed: tuple[str, str]
) -> None:
    forge.comments = [{"id": number, "body": "of others"} for number in range(1, 151)]
    assert post(forge, kind, cost(tmp_path, "$1")).stdout == "comment written\n"
    assert forge.asked[-1] == new
    assert post(forge, kind, cost(tmp_path, "$2")).stdout == "comment changed\n"
    assert forge.asked[-1] == changed
    ours = [one["body"] for one in forge.comments if one["body"] != "of others"]
    assert ours == [f"{MARK}\n$2\n"]


@pytest.mark.parametrize(("kind", "right"), [("github", "pull-requests: write"), ("gitlab", "api")])
def test_a_refusal_is_told_with_the_right_that_is_needed(
    forge: Forge, tmp_path: Path, kind: str, right: str
) -> None:
    forge.status = 403
    done = post(forge, kind, cost(tmp_path, "$1"))
    assert done.returncode == 1
    assert "status 403" in done.stderr
    assert right in done.stderr


def test_a_forge_that_does_not_answer_is_told(forge: Forge, tmp_path: Path) -> None:
    gone = post(forge, "github", cost(tmp_path, "$1"), GITHUB_API_URL="http://127.0.0.1:9")
    assert gone.returncode == 1
    assert "Run the job again" in gone.stderr


def test_outside_a_job_the_missing_variable_is_named(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB")}
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "tools" / "comment" / "post.py"),
            *("github", "dev", cost(tmp_path, "$1")),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "'GITHUB_API_URL' is not set" in done.stderr


def test_the_token_goes_to_no_other_address(forge: Forge, elsewhere: Forge, tmp_path: Path) -> None:
    forge.comments = [{"id": number, "body": "of others"} for number in range(1, 151)]
    forge.next_pages = elsewhere.address
    assert post(forge, "github", cost(tmp_path, "$1")).returncode == 0
    assert not elsewhere.asked


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_comment_of_another_user_is_never_changed(
    forge: Forge, tmp_path: Path, kind: str
) -> None:
    forge.comments = [{"id": 1, "body": f"{MARK}\nforged", **author("mallory")}]
    assert post(forge, kind, cost(tmp_path, "$1")).stdout == "comment written\n"
    assert [one["body"] for one in forge.comments] == [f"{MARK}\nforged", f"{MARK}\n$1\n"]


@pytest.mark.parametrize("text", ["", "hello", "<!-- breakeven cost of stack prod -->\nx"])
def test_text_that_is_not_the_stacks_comment_is_not_posted(
    forge: Forge, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "cost.md"
    file.write_text(text, encoding="utf-8")
    done = post(forge, "github", file)
    assert done.returncode == 1
    assert "is not the cost of stack dev" in done.stderr
    assert not forge.asked


def test_a_comment_that_is_too_long_is_not_posted(forge: Forge, tmp_path: Path) -> None:
    done = post(forge, "github", cost(tmp_path, "x" * 70_000))
    assert done.returncode == 1
    assert "Allowed: 65536" in done.stderr
