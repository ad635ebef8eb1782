"""Puts a comment on a pull or merge request, or changes the one that an earlier run put there.

    python3 tools/comment/post.py github STACK FILE
    python3 tools/comment/post.py gitlab STACK FILE

The file is text that code of the request wrote, and is trusted for nothing: its first line must be
the mark of the stack, by which the comment is found again, and only a comment that this token's own
user wrote is changed. Address, request and token come from the variables that GitHub Actions and
GitLab CI set, and from GITHUB_TOKEN, PULL and COMMENT_AUTHOR, or COMMENT_TOKEN. Needs Python alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 30
LONGEST = 65_536
"""Characters of a comment that GitHub takes; GitLab takes more."""
_NEXT = re.compile(r'<(?P<address>[^>]+)>;\s*rel="next"')


class PostError(Exception):
    """The comment could not be put there; the message says why and what to do."""


@dataclass(frozen=True)
class Forge:
    """Where comments of one request are read and written.

    Attributes:
        comments: Address of the request's comments.
        comment: Address of one of them, with {id}.
        change: HTTP method that changes one.
        headers: What proves who asks.
        right: What the token has to be allowed, in words.
        author: Field of a comment and value by which the token's own are known.
        user: Address that tells the value of that field; empty where it is given.
    """

    comments: str
    comment: str
    change: str
    headers: Mapping[str, str]
    right: str
    author: tuple[str, str, str]
    user: str = ""

    @classmethod
    def github(cls, variables: Mapping[str, str]) -> Forge:
        """Reads the variables of GitHub Actions."""
        api = f"{variables['GITHUB_API_URL']}/repos/{variables['GITHUB_REPOSITORY']}/issues"
        return cls(
            comments=f"{api}/{variables['PULL']}/comments",
            comment=f"{api}/comments/{{id}}",
            change="PATCH",
            headers={"Authorization": f"Bearer {variables['GITHUB_TOKEN']}"},
            right="permissions: pull-requests: write; forks have a token that can only read",
            author=("user", "login", variables["COMMENT_AUTHOR"]),
        )

    @classmethod
    def gitlab(cls, variables: Mapping[str, str]) -> Forge:
        """Reads the variables of GitLab CI."""
        notes = (
            f"{variables['CI_API_V4_URL']}/projects/{variables['CI_PROJECT_ID']}"
            f"/merge_requests/{variables['CI_MERGE_REQUEST_IID']}/notes"
        )
        return cls(
            comments=notes,
            comment=f"{notes}/{{id}}",
            change="PUT",
            headers={"PRIVATE-TOKEN": variables["COMMENT_TOKEN"]},
            right="a project token with the scope api in COMMENT_TOKEN",
            author=("author", "username", ""),
            user=f"{variables['CI_API_V4_URL']}/user",
        )

    def put(self, body: str) -> str:
        """Writes a comment, or changes the own one that begins with the same line.

        Returns:
            What was done: "written" or "changed".

        Raises:
            PostError: The forge refused or does not answer.
        """
        mark = body.partition("\n")[0]
        who, field, name = self.author
        if self.user:
            name = str(self._call("GET", self.user)[0].get(field, ""))
        for comment in self._all():
            is_own = str((comment.get(who) or {}).get(field, "")) == name
            if is_own and str(comment.get("body", "")).startswith(mark):
                self._call(self.change, self.comment.format(id=comment["id"]), {"body": body})
                return "changed"
        self._call("POST", self.comments, {"body": body})
        return "written"

    def _all(self) -> Iterator[dict[str, Any]]:
        address: str | None = f"{self.comments}?per_page=100"
        while address is not None:
            comments, link = self._call("GET", address)
            yield from comments
            following = _NEXT.search(link)
            address = following["address"] if following else None
            # The token is for this forge alone, whatever an answer says.
            if address is not None and not address.startswith(self.comments):
                address = None

    def _call(
        self, method: str, address: str, content: Mapping[str, str] | None = None
    ) -> tuple[Any, str]:
        request = urllib.request.Request(  # noqa: S310 -- the forge's own address
            address,
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={
                **self.headers,
                "Accept": "application/json",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return json.load(answer), answer.headers.get("Link", "")
        except urllib.error.HTTPError as error:
            msg = f"{method} {address}: refused with status {error.code}. Needed: {self.right}"
            raise PostError(msg) from None
        except (OSError, ValueError) as error:
            msg = f"{method} {address}: {error}. Run the job again"
            raise PostError(msg) from None


def mark_of(stack: str) -> str:
    """Returns the first line of a stack's comment, as cost.sh writes it."""
    return f"<!-- breakeven cost of stack {stack} -->"


def read_comment(path: Path, stack: str) -> str:
    """Reads a comment that code of the request wrote.

    Raises:
        PostError: It is not a stack's comment, is too long, or cannot be read.
    """
    try:
        body = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read: {error}. The job that estimates has to write it"
        raise PostError(msg) from None
    if body.partition("\n")[0] != mark_of(stack):
        msg = f"{path}: is not the cost of stack {stack}. Look at the job that estimates"
        raise PostError(msg)
    if len(body) > LONGEST:
        msg = f"{path}: has {len(body)} characters. Allowed: {LONGEST}"
        raise PostError(msg)
    return body


def main(arguments: list[str], variables: Mapping[str, str]) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("forge", choices=["github", "gitlab"])
    parser.add_argument("stack", help="name of the stack that the comment is about")
    parser.add_argument("file", type=Path, help="the comment, in Markdown")
    chosen = parser.parse_args(arguments)
    try:
        forge = Forge.github(variables) if chosen.forge == "github" else Forge.gitlab(variables)
        done = forge.put(read_comment(chosen.file, chosen.stack))
    except KeyError as missing:
        print(f"error: {missing} is not set; a job of a request has it", file=sys.stderr)
        return 1
    except PostError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"comment {done}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
