"""The FinOps Foundation's validator, in an environment of its own, judges the rows of every stack.

`make check-focus` makes the environment: the validator needs Python 3.12 or newer. It brings the
rules of 1.2.0.1 and reads nothing over the network.
"""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from breakeven.planning.offline import estimate_stack
from breakeven.reports.focus import focus_csv
from breakeven.settings.files import stack_names

CONTRADICTION = {"InvoiceId-C-005-C"}
"""The validator's model of 1.2.0.1 demands in InvoiceId-C-004-C that it is null, and in this rule
that it is not. It states the condition of neither, so no row keeps both; here it is null.
"""


@pytest.mark.parametrize("stack", stack_names())
def test_the_validator_accepts_the_rows(stack: str, tmp_path: Path) -> None:
    validator = Path(os.environ["FOCUS_VALIDATOR"]).resolve()
    rows = tmp_path / "rows.csv"
    report = estimate_stack(stack, datetime.now(tz=UTC).date())
    rows.write_text(focus_csv(report), encoding="utf-8")
    [packages] = (validator.parents[1] / "lib").glob("python*/site-packages")
    done = subprocess.run(
        [
            str(validator),
            *("--data-file", str(rows), "--validate-version", "1.2.0.1", "--block-download"),
            *("--focus-dataset", "CostAndUsage"),
        ],
        cwd=packages,  # it opens its list of currencies by a relative path
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    failed = {line.split()[1].rstrip(":") for line in said.splitlines() if line.startswith("❌")}
    assert "BilledCost-C-003-M: PASS" in said
    assert failed == CONTRADICTION
