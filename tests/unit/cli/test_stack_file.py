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
from breakeven.settings.files import ROOT, with_settings

SETTINGS: dict[str, int | str] = {
    "traffic.tokensPerDay": 7,
    "traffic.burstFactor": "1.76",
    "traffic.shape": "nov",
}

STACKS = sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))

values = st.integers(0, 10**12) | st.from_regex(
    r"[0-9]{1,3}\.[0-9]{1,2}|[a-z][a-z0-9.-]{0,20}", fullmatch=True
)
keys = st.from_regex(r"(group|other)\.[a-z][A-Za-z]{0,12}", fullmatch=True)


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.name)
def test_every_stack_keeps_its_comments_and_order(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    merged = merge_settings(text, SETTINGS, path.name)
    names = tuple(f"{key.rpartition('.')[2]}:" for key in SETTINGS)

    def others(whole: str) -> list[str]:
        lines = [line for line in whole.splitlines() if not line.strip().startswith(names)]
        return [line for line in lines if line != "  breakeven:traffic:"]

    assert others(merged) == others(text)
    traffic = yaml.safe_load(merged)["config"]["breakeven:traffic"]
    assert {f"traffic.{key}": traffic[key] for key in ("tokensPerDay", "burstFactor", "shape")} == (
        SETTINGS
    )


@given(
    st.dictionaries(keys, values, max_size=6), st.dictionaries(keys, values, min_size=1, max_size=6)
)
def test_what_is_read_back_is_the_old_file_with_the_settings(
    old: dict[str, int | str], new: dict[str, int | str]
) -> None:
    lines = setting_lines(old)
    text = "# a stack\nconfig:\n" + "".join(f"{line} # why\n" for line in lines)
    merged = merge_settings(text, new, "stack")
    expected = with_settings({}, {f"breakeven:{key}": each for key, each in {**old, **new}.items()})
    assert yaml.safe_load(merged)["config"] == expected
    assert merged.count("# why") == len(lines)
    assert merge_settings(merged, new, "stack") == merged


G = "breakeven:g"


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("", f"config:\n  {G}:\n    n: 1\n"),
        ("# none yet", f"# none yet\nconfig:\n  {G}:\n    n: 1\n"),
        ("config:\n", f"config:\n  {G}:\n    n: 1\n"),
        ("config:", f"config:\n  {G}:\n    n: 1\n"),
        ("salt: v1:x\n", f"salt: v1:x\nconfig:\n  {G}:\n    n: 1\n"),
        (f"config:\n  {G}:\n    n: 5 # why\n", f"config:\n  {G}:\n    n: 1 # why\n"),
        (f"config:\n  {G}:\n    m: 5 # why\n", f"config:\n  {G}:\n    m: 5 # why\n    n: 1\n"),
        ("config:\n  g:\n    n: 5 # why\n", "config:\n  g:\n    n: 1 # why\n"),
        ("config: {g: {n: 5}}\n", "config: {g: {n: 1}}\n"),
        (f"config:\n  {G}: {{m: 2}} # why\n", f"config:\n  {G}: {{m: 2, n: 1}} # why\n"),
        (f"config:\n  {G}: {{}}\n", f"config:\n  {G}: {{n: 1}}\n"),
        ("config: {a:b: 1}\n", f"config: {{a:b: 1, '{G}': {{n: 1}}}}\n"),
        (
            f"config:\n    {G}:\n        m: 2\n    a:b: 1 # last\n\n# end\nsalt: x\n",
            f"config:\n    {G}:\n        m: 2\n        n: 1\n    a:b: 1 # last\n\n# end\nsalt: x\n",
        ),
        (
            "config:\n  a:b:\n    - c\n    - d: [1,\n        2]\n# end\n",
            f"config:\n  a:b:\n    - c\n    - d: [1,\n        2]\n  {G}:\n    n: 1\n# end\n",
        ),
        (
            "config:\n  a:b: |\n    text\n    more\nother: 1\n",
            f"config:\n  a:b: |\n    text\n    more\n  {G}:\n    n: 1\nother: 1\n",
        ),
        ("config:\n  a:b: 1", f"config:\n  a:b: 1\n  {G}:\n    n: 1\n"),
        ("config:\r\n  a:b: 1\r\n", f"config:\r\n  a:b: 1\r\n  {G}:\r\n    n: 1\r\n"),
    ],
)
def test_settings_are_put_where_a_person_would(text: str, merged: str) -> None:
    assert merge_settings(text, {"g.n": 1}, "stack") == merged


def test_in_a_list_of_one_model_its_entry_is_changed() -> None:
    text = "config:\n  breakeven:models:\n    - model:\n        name: a # why\n  a:b: 1\n"
    merged = merge_settings(text, {"traffic.tokensPerDay": 1, "model.name": "b"}, "stack")
    assert merged == (
        "config:\n  breakeven:models:\n    - model:\n        name: b # why\n"
        "      traffic:\n        tokensPerDay: 1\n  a:b: 1\n"
    )


@pytest.mark.parametrize("text", ["- a\n", "config: [1]\n", "config:\n  breakeven:g: 3\n"])
def test_a_file_that_would_have_to_be_rewritten_is_refused_with_the_lines(text: str) -> None:
    lines = r"(?s)^stack: the layout of this file .*\n  breakeven:g:\n    n: 1$"
    with pytest.raises(StackFileError, match=lines):
        merge_settings(text, {"g.n": 1}, "stack")


@pytest.mark.parametrize("text", ["config: [", "config: {a: 2026-13-01}"])
def test_a_file_that_is_no_yaml_is_refused(text: str) -> None:
    with pytest.raises(StackFileError, match="stack: invalid YAML"):
        merge_settings(text, {"g.n": 1}, "stack")


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text("old")
    path.chmod(0o640)
    write_whole(path, "a\r\nb\n")
    assert path.read_bytes() == b"a\r\nb\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
