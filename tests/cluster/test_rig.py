"""The rig as its users see it: nobody else's machine reaches it, and a part that dies is named."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import psutil
import pytest

from bootstrap import cluster as built
from bootstrap.console import SetupError
from bootstrap.layout import Layout
from breakeven.settings.files import ROOT
from rig.cluster import PARTS, Rig
from rig.folder import Folder
from rig.ports import LOOPBACK
from rig.running import read_processes


@pytest.mark.parametrize("name", PARTS)
def test_a_part_listens_on_its_ports_of_the_loopback_interface_and_nowhere_else(
    rig: Rig, name: str
) -> None:
    process = psutil.Process(rig.process(name).pid)
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {(LOOPBACK, port) for port in PARTS[name](rig.plan).ports}


def test_a_part_that_dies_at_the_start_is_named_and_takes_the_others_along(tmp_path: Path) -> None:
    programs, definitions = built.find(Layout.of(ROOT, os.environ))
    dying = tmp_path / "kwok"
    dying.write_text("#!/bin/sh\necho the last words of a part >&2\nexit 3\n", encoding="utf-8")
    dying.chmod(dying.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(SetupError) as caught:
        Rig.start(tmp_path / "rig", {**programs, "kwok": dying}, definitions)
    message = str(caught.value)
    assert "kwok ended while it was starting" in message
    assert "the last words of a part" in message
    started = read_processes(Folder(tmp_path / "rig"))
    assert {"etcd", "kube-apiserver", "kwok"} <= {process.name for process in started}
    assert [process.name for process in started if process.running()] == []
