"""What is priced from rendered data is what the real engine is about to register."""

from __future__ import annotations

import pytest

from tests.project_copy import Project

COMPARED = """
from breakeven.planning.offline import ledger_of, read_stack
from breakeven.resources.ledger import Ledger

ledger = Ledger()
ledger.attach()


async def compared():
    outputs = await main()
    rendered = {(each.type, each.name): each.properties for each in ledger_of(read_stack("STACK"))}
    found = {(each.type, each.name): each.properties for each in ledger.entries()}
    # They are made from the estimate, after it.
    late = {key for key in found if key[1].endswith("-cost")}
    assert late, found
    for key in late:
        del found[key]
    assert found == rendered
    pulumi.log.info(f"{len(found)} entries are equal")
    return outputs


pulumi.run(compared)
"""


@pytest.mark.parametrize("stack", ["dev", "two-models"])
def test_the_ledger_of_rendered_data_is_that_of_the_engine(project: Project, stack: str) -> None:
    program = project.root / "__main__.py"
    text = program.read_text(encoding="utf-8")
    assert text.count("pulumi.run(main)") == 1
    changed = text.replace("pulumi.run(main)", COMPARED.replace("STACK", stack))
    program.write_text(changed, encoding="utf-8")
    result = project.preview(stack)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "entries are equal" in result.stdout
