"""A program is planned again when anything changed that its plan depends on, and only then."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from breakeven.settings.files import ROOT, stack_values

RUN = """
import asyncio, json, sys
from breakeven.cost.bill.registered import Registered
from breakeven.errors import UserError
from breakeven.planning.rendered_ledger import ledger_entries
from breakeven.program_plan.plan import Plan
asked = json.loads(sys.stdin.read())
with Plan("dev", asked["configuration"], deploys=asked["deploys"], keeps=asked["keeps"]) as plan:
    first = plan.is_kept
    try:
        components = asyncio.run(plan.check())
    except UserError as error:
        print(json.dumps({"kept": first, "error": str(error)}))
        sys.exit()
    disk = Registered("disk", "aws:ebs/volume:Volume", {"type": "gp3", "size": asked["disk"]})
    report = asyncio.run(plan.report((*ledger_entries(components), disk)))
print(json.dumps({
    "kept": plan.is_kept, "text": report.text, "components": len(components),
    "total": report.figures["selfHosted"]["total"],
}))
"""


class Checkout:
    """A copy of this checkout, and a folder of caches."""

    def __init__(self, folder: Path) -> None:
        self.root, self.caches = folder / "checkout", folder / "caches"
        for name in ("components", "charts", "stacks"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, self.root / name, ignore=ignored)
        shutil.copy(ROOT / "Pulumi.yaml", self.root)

    def run(
        self, *, disk: int = 1, deploys: bool = False, keeps: bool = True, **stated: str
    ) -> dict[str, Any]:
        """Runs a program of stack dev that has a disk too."""
        keys = {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in {**stack_values("dev"), **stated}.items()
        }
        asked = {
            "configuration": {f"breakeven:{key}": value for key, value in keys.items()},
            "disk": disk,
            "deploys": deploys,
            "keeps": keeps,
        }
        done = subprocess.run(
            [sys.executable, "-P", "-c", RUN],
            input=json.dumps(asked),
            cwd=self.root,
            env={
                **os.environ,
                "PYTHONPATH": str(self.root / "components"),
                "XDG_CACHE_HOME": str(self.caches),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("plan"))


def test_an_unchanged_program_is_not_planned_again_and_a_changed_one_is(
    checkout: Checkout,
) -> None:
    first = checkout.run()
    assert not first["kept"]
    again = checkout.run()
    assert again == {**first, "kept": True}
    # `pulumi up` after a preview.
    assert checkout.run(deploys=True) == again
    more = checkout.run(disk=1000)
    assert not more["kept"]
    assert float(more["total"]) > float(first["total"])

    own = checkout.root / "stacks" / "prices" / "aws.csv"
    own.parent.mkdir()
    own.write_text(
        "identifier,usd,unit,as_of,source,terms\n"
        "node/aws/us-east-1/g6.xlarge/on-demand,9.0,node-hour,2026-11-30,my contract,private\n",
        encoding="utf-8",
    )
    mine = checkout.run()
    assert not mine["kept"]
    assert float(mine["total"]) > float(first["total"])
    own.unlink()

    shipped = checkout.root / "components" / "breakeven" / "catalog" / "data" / "prices" / "aws.csv"
    lines = shipped.read_text(encoding="utf-8").splitlines(keepends=True)
    price = "node/aws/us-east-1/g6.xlarge/on-demand,"
    shipped.write_text(
        "".join(
            f"{price}7.0,{line.split(',', 2)[2]}" if line.startswith(price) else line
            for line in lines
        ),
        encoding="utf-8",
    )
    refreshed = checkout.run()
    assert not refreshed["kept"]
    assert float(refreshed["total"]) > float(first["total"])
    assert checkout.run() == {**refreshed, "kept": True}


def test_what_may_hold_a_secret_is_not_written(checkout: Checkout) -> None:
    shutil.rmtree(checkout.caches, ignore_errors=True)
    assert not checkout.run(keeps=False)["kept"]
    assert not checkout.caches.exists()


def test_a_stack_that_can_be_estimated_and_not_deployed_is_refused_from_what_was_kept_too(
    checkout: Checkout,
) -> None:
    unknown = '{"name": "qwen2.5-7b-instruct", "repository": "someone/else"}'
    assert "total" in checkout.run(model=unknown)
    refused = checkout.run(model=unknown, deploys=True)
    assert refused["kept"]
    assert "no commit of" in refused["error"]
