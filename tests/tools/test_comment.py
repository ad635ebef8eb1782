"""The comment of a pull request says what it does to the cost, and can be found again."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

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
