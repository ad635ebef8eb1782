"""`make demo`: nodes come with the load and go with it, and nothing is left."""

from __future__ import annotations

import re

import pytest

from bench import demo


def test_nodes_come_and_go_and_cost_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main() == 0
    told = capsys.readouterr().out
    most = re.search(r"(\d+) nodes at the peak, 1 after the load fell, none left", told)
    assert most is not None
    assert int(most[1]) >= 3
    # What `breakeven status` says meanwhile: several replicas, their nodes, and the money.
    status = told.partition("while the load was at its peak:")[2]
    assert re.search(r"replicas +[2-8] wanted, [1-8] ready", status), told
    assert re.search(r"nodes +\d x g6e", status), told
    assert re.search(r"cost now +\$[\d.]+/h; plan", status), told
    lines = re.findall(r"nodes (\d+)  \$([\d.]+) an hour  so far \$([\d.]+)", told)
    # Every node is a g6e.xlarge or the next larger: no less than the first one's price each.
    assert all(float(usd) >= 1.86 * int(nodes) - 1.87 for nodes, usd, _ in lines)
    spent = [float(so_far) for _, _, so_far in lines]
    assert spent == sorted(spent)
