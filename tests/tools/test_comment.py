"""The comment of a pull request says what it does to the cost, and can be found again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from breakeven.settings.files import ROOT

ACTION = ROOT / ".github" / "actions" / "cost-comment" / "action.yml"
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


def test_both_templates_run_the_script_and_pass_its_code_on() -> None:
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    steps = action["runs"]["steps"]
    assert any("tools/comment/post.py github" in step["run"] for step in steps)
    assert all(step["shell"] == "bash" for step in steps)
    assert any("tools/comment/cost.sh" in step["run"] for step in steps)
    assert steps[-1]["run"] == 'exit "$CODE"'
    job = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))[".cost-comment"]
    assert any("tools/comment/cost.sh" in line for line in job["script"])
    assert "python3 tools/comment/post.py gitlab cost.md" in job["script"]
    assert job["script"][-1] == 'exit "$code"'


def test_every_step_is_shell_that_bash_can_read() -> None:
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    job = yaml.safe_load(TEMPLATE.read_text(encoding="utf-8"))[".cost-comment"]
    for script in [*(step["run"] for step in action["runs"]["steps"]), *job["script"]]:
        subprocess.run(["bash", "-n", "-c", script], check=True)
