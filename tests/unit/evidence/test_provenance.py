"""Evidence names the commit, and says when the files on disk are not that commit's."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from breakeven.evidence.provenance import provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    return subprocess.run(
        ["git", *identity, "-C", str(folder), *arguments],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def test_a_committed_file_is_named_by_its_commit_and_a_changed_one_is_told(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.a.yaml"
    file.write_text("config: {}\n")
    outside = provenance(file)
    assert (outside["commit"], outside["isCommitted"]) == ("", False)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "a")
    committed = provenance(file)
    assert committed["commit"] == git(tmp_path, "rev-parse", "HEAD")
    assert committed["isCommitted"]
    assert committed["stackFile"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    file.write_text("config: {a: 1}\n")
    assert not provenance(file)["isCommitted"]
    other = tmp_path / "Pulumi.b.yaml"
    other.write_text("config: {}\n")
    git(tmp_path, "commit", "-qam", "b")
    assert provenance(file)["isCommitted"]
    assert not provenance(other)["isCommitted"]
