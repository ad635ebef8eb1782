"""A merge changes the settings it is given and not one character more."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from breakeven.cli.files import write_whole
from breakeven.cli.stack_file import merge_settings, setting_lines
from breakeven.errors import StackFileError
from breakeven.settings.files import ROOT

SETTINGS: dict[str, int | str] = {"tokensPerDay": 7, "burstFactor": "1.76", "trafficShape": "nov"}

STACKS = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))

values = st.integers(0, 10**12) | st.from_regex(
    r"[0-9]{1,3}\.[0-9]{1,2}|[a-z][a-z0-9.-]{0,20}", fullmatch=True
)
keys = st.from_regex(r"[a-z][A-Za-z]{0,12}", fullmatch=True)


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_every_stack_keeps_its_comments_and_order(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    merged = merge_settings(text, SETTINGS, path.name)
    changed = {f"  breakeven:{key}:" for key in SETTINGS}

    def others(whole: str) -> list[str]:
        return [line for line in whole.splitlines() if not line.startswith(tuple(changed))]

    assert others(merged) == others(text)
    config = yaml.safe_load(merged)["config"]
    assert {key: config[f"breakeven:{key}"] for key in SETTINGS} == SETTINGS


@given(
    st.dictionaries(keys, values, max_size=6), st.dictionaries(keys, values, min_size=1, max_size=6)
)
def test_what_is_read_back_is_the_old_file_with_the_settings(
    old: dict[str, int | str], new: dict[str, int | str]
) -> None:
    text = "# a stack\nconfig:\n" + "".join(f"{line} # why\n" for line in setting_lines(old))
    merged = merge_settings(text, new, "stack")
    expected = {f"breakeven:{key}": value for key, value in {**old, **new}.items()}
    assert yaml.safe_load(merged)["config"] == expected
    assert merged.count("# why") == len(old)
    assert merge_settings(merged, new, "stack") == merged


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("", "config:\n  breakeven:n: 1\n"),
        ("# none yet", "# none yet\nconfig:\n  breakeven:n: 1\n"),
        ("config:\n", "config:\n  breakeven:n: 1\n"),
        ("encryptionsalt: v1:x\n", "encryptionsalt: v1:x\nconfig:\n  breakeven:n: 1\n"),
        ("config:\n  breakeven:n: 5 # why\n", "config:\n  breakeven:n: 1 # why\n"),
        ("config:\n  n: 5 # why\n  a:b: 1\n", "config:\n  n: 1 # why\n  a:b: 1\n"),
        ("config:\n  n: 5\n  breakeven:n: 6\n", "config:\n  n: 1\n  breakeven:n: 1\n"),
        ("config: {n: 5}\n", "config: {n: 1}\n"),
        ('config:\n  "breakeven:n": "5"\n', 'config:\n  "breakeven:n": 1\n'),
        ("config: {breakeven:n: 5, a:b: 1}\n", "config: {breakeven:n: 1, a:b: 1}\n"),
        (
            "config:\n    a:b: 1 # last\n\n# end\nencryptionsalt: v1:x\n",
            "config:\n    a:b: 1 # last\n    breakeven:n: 1\n\n# end\nencryptionsalt: v1:x\n",
        ),
        (
            "config:\n  a:b:\n    - c\n    - d: [1,\n        2]\n# end\n",
            "config:\n  a:b:\n    - c\n    - d: [1,\n        2]\n  breakeven:n: 1\n# end\n",
        ),
        (
            "config:\n  a:b: |\n    text\n    more\nother: 1\n",
            "config:\n  a:b: |\n    text\n    more\n  breakeven:n: 1\nother: 1\n",
        ),
        ("config:\n  a:b: 1", "config:\n  a:b: 1\n  breakeven:n: 1\n"),
        ("config:\r\n  a:b: 1\r\n", "config:\r\n  a:b: 1\r\n  breakeven:n: 1\r\n"),
    ],
)
def test_settings_are_put_where_a_person_would(text: str, merged: str) -> None:
    assert merge_settings(text, {"n": 1}, "stack") == merged


@pytest.mark.parametrize("text", ["config: {a:b: 1}\n", "config: {}\n", "- a\n", "config: [1]\n"])
def test_a_file_that_would_have_to_be_rewritten_is_refused_with_the_lines(text: str) -> None:
    with pytest.raises(StackFileError, match=r"(?s)^stack: is written so .*\n  breakeven:n: 1$"):
        merge_settings(text, {"n": 1}, "stack")


@pytest.mark.parametrize("text", ["config: [", "config: {a: 2026-13-01}"])
def test_a_file_that_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(StackFileError, match="stack: is no YAML"):
        merge_settings(text, {"n": 1}, "stack")


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text("old")
    path.chmod(0o640)
    write_whole(path, "a\r\nb\n")
    assert path.read_bytes() == b"a\r\nb\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
