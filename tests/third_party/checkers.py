"""The checkers of others, run as their users run them; what each finds, in one form."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.environments import environment
from breakeven.settings.files import ROOT

KUBERNETES = "1.37"
"""As the API server of the rig, and the newest whose schemas kubernetes-validate has."""

_REQUIREMENTS = ROOT / "tools" / "third_party" / "requirements.txt"
_PASSED = 10
"""The grade that kube-score gives to what it has nothing against."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """What a checker has against an object.

    Attributes:
        checker: Its name.
        check: Identifier of its check.
        resource: KIND/NAME.
        said: In the checker's words.
    """

    checker: str
    check: str
    resource: str
    said: str


def programs() -> Path:
    """Returns the folder with checkov and kubernetes-validate."""
    contents = "checkov and kubernetes-validate (a minute)"
    return environment("third-party", _REQUIREMENTS, contents=contents) / "bin"


def checkov(manifests: Path) -> Iterator[Finding]:
    """Yields what checkov finds, with all of its checks of Kubernetes."""
    result = _run(
        *(str(programs() / "checkov"), "--file", str(manifests), "--framework", "kubernetes"),
        # It asks nobody: its own checks, and no list of checks from its makers' service.
        *("--skip-download", "--output", "json", "--quiet"),
    )
    answer = json.loads(result.stdout)
    assert answer["summary"]["parsing_errors"] == 0, answer
    assert answer["summary"]["passed"] > 0, answer
    for failed in answer["results"]["failed_checks"]:
        kind, _, rest = failed["resource"].partition(".")
        resource = f"{kind}/{rest.rpartition('.')[2]}"
        yield Finding("checkov", failed["check_id"], resource, failed["check_name"])


def checks_of_checkov() -> set[str]:
    """Returns the identifiers of all of its checks of Kubernetes."""
    listing = _run(str(programs() / "checkov"), "--list", "--framework", "kubernetes").stdout
    return set(re.findall(r"\bCKV2?_K8S_\d+\b", listing))


def kube_score(manifests: Path) -> Iterator[Finding]:
    """Yields what kube-score finds, with the checks that it makes unless told otherwise."""
    version = ("--kubernetes-version", f"v{KUBERNETES}")
    result = _run("kube-score", "score", str(manifests), *version, "--output-format", "json")
    scored: list[dict[str, Any]] = json.loads(result.stdout)
    assert scored
    for item in scored:
        resource = f"{item['type_meta']['kind']}/{item['object_meta']['name']}"
        for check in item["checks"]:
            if not check["skipped"] and check["grade"] < _PASSED:
                said = "; ".join(_comment(comment) for comment in check["comments"])
                yield Finding("kube-score", check["check"]["id"], resource, said)


def kubernetes_validate(manifests: Path) -> list[str]:
    """Returns what kubernetes-validate refuses where no unknown field is allowed."""
    result = _run(
        *(str(programs() / "kubernetes-validate"), "--kubernetes-version", KUBERNETES),
        *("--strict", str(manifests)),
    )
    lines = (result.stdout + result.stderr).splitlines()
    assert any(line.startswith("INFO") and "passed" in line for line in lines), lines
    # Kinds of others are warned about; tests/unit/manifests/test_schemas.py has their schemas.
    refused = [line for line in lines if not line.startswith(("INFO", "WARN"))]
    assert bool(refused) == bool(result.returncode), lines
    return refused


def _comment(comment: dict[str, str]) -> str:
    return f"{comment['path']}: {comment['summary']}" if comment["path"] else comment["summary"]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        command,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout, result.stderr
    return result
