"""What a machine lacks is said before anything is made, with the command that gets it."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import pytest

from bootstrap.console import SetupError
from node import needs


def test_without_root_on_linux_an_error_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match=r"needs root on Linux(?s:.)*sudo make node"):
        needs.check(tmp_path)


def test_missing_programs_are_named_by_the_packages_that_have_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(shutil, "which", lambda name: None if name in ("runc", "nft") else name)
    wanted = "apt-get install --no-install-recommends nftables runc"
    with pytest.raises(SetupError, match=wanted):
        needs.check(tmp_path)


def test_a_full_disk_is_reported_before_images_are_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(needs, "CGROUPS", tmp_path)
    monkeypatch.setattr(needs, "_check_network", lambda: None)
    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(needs, "NEEDED_GIB", 10**9)
    with pytest.raises(SetupError, match="too little room for images"):
        needs.check(tmp_path / "store")
    needs.check(tmp_path)  # a store that is there has its images


def test_control_groups_of_another_version_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(needs, "CGROUPS", tmp_path)
    with pytest.raises(SetupError, match="control groups of version 1"):
        needs.check(tmp_path)
