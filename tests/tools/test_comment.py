"""The comment of a pull request says what it does to the cost, and can be found again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
import yaml

from breakeven.settings.files import ROOT

ESTIMATE = ROOT / ".github" / "actions" / "cost-estimate" / "action.yml"
COMMENT = ROOT / ".github" / "actions" / "cost-comment" / "action.yml"
TEMPLATE = ROOT / ".gitlab" / "cost-comment.yml"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"]
    done = subprocess.run(
        ["git", "-C", folder, *identity, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with the files as they are here and the packages of this checkout."""
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--shared", str(ROOT), str(folder))
    for name in ("tools/comment/cost.sh",):  # may not be committed yet
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
        (folder / name).chmod(0o755)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def comment(folder: Path, stack: str) -> subprocess.CompletedProcess[str]:
    base = git(folder, "rev-parse", "HEAD")
    return subprocess.run(
        ["tools/comment/cost.sh", stack, base],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_change_is_told_with_what_it_costs(clone: Path) -> None:
    file = clone / "stacks" / "Pulumi.dev.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + '  breakeven:staffing:\n    onCallPerMonth: "500"\n', encoding="utf-8")
    done = comment(clone, "dev")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("<!-- breakeven cost of stack dev -->\n")
    assert "compared with the base" in done.stdout
    assert "On-call" in done.stdout
    assert "$500.00" in done.stdout
    assert git(clone, "worktree", "list").count("\n") == 0


def test_a_new_stack_is_told_whole(clone: Path) -> None:
    source = (clone / "stacks" / "Pulumi.dev.yaml").read_text(encoding="utf-8")
    (clone / "stacks" / "Pulumi.chat.yaml").write_text(source, encoding="utf-8")
    done = comment(clone, "chat")
    assert done.returncode == 0, done.stderr
    assert "GPU nodes, busy" in done.stdout


def test_over_budget_the_comment_is_written_and_the_job_fails(clone: Path) -> None:
    file = clone / "stacks" / "Pulumi.dev.yaml"
    text = file.read_text(encoding="utf-8")
    limited = text.replace(
        "  breakeven:pricing:\n", '  breakeven:pricing:\n    budgetPerMonth: "10"\n'
    )
    file.write_text(limited, encoding="utf-8")
    done = comment(clone, "dev")
    assert done.returncode == 2
    assert "|" in done.stdout
    assert "over its budget" in done.stderr


def steps_of(action: Path) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = yaml.safe_load(action.read_text(encoding="utf-8"))["runs"][
        "steps"
    ]
    return steps


def jobs() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))
    return found


def workflow() -> dict[str, Any]:
    """Returns the workflow that the documentation gives."""
    text = (ROOT / "docs" / "use-elsewhere.md").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(
        text.partition("# .github/workflows/cost.yml")[2].partition("```")[0]
    )
    return found


def test_both_templates_run_the_script_and_pass_its_code_on() -> None:
    steps = steps_of(ESTIMATE)
    assert any("tools/comment/cost.sh" in step["run"] for step in steps)
    assert all(step["shell"] == "bash" for step in [*steps, *steps_of(COMMENT)])
    assert steps[-1]["run"] == 'exit "$CODE"'
    script = jobs()[".cost-estimate"]["script"]
    assert any("tools/comment/cost.sh" in line for line in script)
    assert script[-1] == 'exit "$code"'


def test_no_job_has_both_code_of_the_request_and_a_token_that_can_write() -> None:
    assert "token" not in ESTIMATE.read_text(encoding="utf-8").partition("runs:")[2].replace(
        "secrets.token_hex", ""
    )
    assert "COMMENT_TOKEN" not in str(jobs()[".cost-estimate"])
    posting = jobs()[".cost-comment"]
    assert posting["environment"] == {"name": "cost-comment"}
    assert posting["script"][0].startswith('git show "$CI_MERGE_REQUEST_DIFF_BASE_SHA:tools/')
    assert all(
        "tools/comment/cost.sh" not in line and "bootstrap" not in line
        for line in posting["script"]
    )
    given = workflow()
    assert given["permissions"] == {}
    first, second = given["jobs"]["estimate"], given["jobs"]["comment"]
    assert first["permissions"] == {"contents": "read"}
    assert second["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert second["steps"][0]["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    for job in (first, second):
        assert job["steps"][0]["with"]["persist-credentials"] is False


def test_no_expression_stands_inside_a_shell_line() -> None:
    for action in (ESTIMATE, COMMENT):
        assert not [step for step in steps_of(action) if "${{" in step["run"]]


def test_every_step_is_shell_that_bash_can_read() -> None:
    scripts = [step["run"] for action in (ESTIMATE, COMMENT) for step in steps_of(action)]
    scripts += [
        line for name in (".cost-estimate", ".cost-comment") for line in jobs()[name]["script"]
    ]
    for script in scripts:
        subprocess.run(["bash", "-n", "-c", script], check=True)


class Forge(BaseHTTPRequestHandler):
    """Stands in for the API of GitHub and GitLab: a list of comments that can be changed."""

    comments: ClassVar[list[dict[str, Any]]] = []
    calls: ClassVar[list[str]] = []

    def log_message(self, *_arguments: object) -> None:
        pass

    def _answer(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer({"username": "bot"} if self.path.endswith("/user") else self.comments)

    def do_POST(self) -> None:
        self.calls.append(f"{self.command} {self.path}")
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({})

    def do_PUT(self) -> None:
        self.do_POST()

    def do_PATCH(self) -> None:
        self.do_POST()


@pytest.fixture
def forge() -> Iterator[str]:
    Forge.calls.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Forge)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def post(kind: str, address: str, text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "cost.md"
    file.write_text(text, encoding="utf-8")
    variables = {
        "GITHUB_API_URL": address,
        "GITHUB_REPOSITORY": "a/b",
        "GITHUB_TOKEN": "t",
        "PULL": "1",
        "COMMENT_AUTHOR": "bot",
        "CI_API_V4_URL": address,
        "CI_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "1",
        "COMMENT_TOKEN": "t",
    }
    return subprocess.run(
        [sys.executable, "-I", str(ROOT / "tools/comment/post.py"), kind, "dev", str(file)],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("kind", "written"),
    [("github", {"user": {"login": "bot"}}), ("gitlab", {"author": {"username": "bot"}})],
)
def test_only_a_comment_of_ones_own_is_changed(
    forge: str, tmp_path: Path, kind: str, written: dict[str, Any]
) -> None:
    mark = "<!-- breakeven cost of stack dev -->"
    others: dict[str, Any] = {"user": {"login": "mallory"}, "author": {"username": "mallory"}}
    for author, done in ((others, "written"), (written, "changed")):
        Forge.comments[:] = [{"id": 7, "body": f"{mark}\nold", **author}]
        Forge.calls.clear()
        said = post(kind, forge, f"{mark}\nnew", tmp_path)
        assert said.stdout == f"comment {done}\n", said.stderr
        assert len(Forge.calls) == 1
        assert ("/7" in Forge.calls[0]) == (done == "changed")


@pytest.mark.parametrize("text", ["", "hello", "<!-- breakeven cost of stack prod -->\nx"])
def test_text_that_is_not_the_stacks_comment_is_not_posted(
    forge: str, tmp_path: Path, text: str
) -> None:
    said = post("github", forge, text, tmp_path)
    assert said.returncode == 1
    assert "is not the cost of stack dev" in said.stderr
    assert Forge.calls == []


def test_a_comment_that_is_too_long_is_not_posted(forge: str, tmp_path: Path) -> None:
    said = post("github", forge, "<!-- breakeven cost of stack dev -->\n" + "x" * 70_000, tmp_path)
    assert said.returncode == 1
    assert "Allowed: 65536" in said.stderr
