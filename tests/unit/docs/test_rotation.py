"""The commands of docs/gateway.md that rotate a team's key, run with a stand-in for kubectl."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

KUBECTL = """#!/usr/bin/env python3
import json, os, pathlib, sys
secret, patch = pathlib.Path("secret.json"), json.load(sys.stdin)
found = json.loads(secret.read_text())
for name, value in {**patch.get("data", {}), **patch.get("stringData", {})}.items():
    found.pop(name, None) if value is None else found.update({name: value})
secret.write_text(json.dumps(found))
with open("calls", "a") as calls:
    print(*sys.argv, json.dumps(found), sep="\\n", file=calls)
print("secret/team-keys patched")
"""


def test_the_commands_have_both_keys_valid_and_show_neither(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
    [commands] = re.findall(r"^```\n(# 1\. Add the new key.*?)^```", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "kubectl").write_text(KUBECTL, encoding="utf-8")
    (tmp_path / "kubectl").chmod(0o755)
    (tmp_path / "secret.json").write_text(json.dumps({"product": "old", "legal": "other"}))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    calls = (tmp_path / "calls").read_text().splitlines()
    [during, after] = [json.loads(line) for line in calls if line.startswith("{")]
    new = during["product.next"]
    assert re.fullmatch(r"sk-[0-9a-f]{64}", new)
    assert during == {"product": "old", "product.next": new, "legal": "other"}
    assert after == {"product": new, "legal": "other"}
    arguments = [line for line in calls if not line.startswith("{")]
    assert "team-keys" in arguments
    assert new not in done.stdout + done.stderr + " ".join(arguments)
    assert not (tmp_path / "product.key").exists()
