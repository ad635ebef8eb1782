"""A bump of vLLM says what it takes away, and pins the nearest CPU build."""

from __future__ import annotations

from dataclasses import replace

import pytest

from breakeven.catalog.engines import deployed_release, releases
from engine_bump import bump


@pytest.mark.parametrize(
    ("wanted", "pinned"), [("0.31.0", "0.31.0"), ("0.33.0", "0.32.0"), ("0.23.0", None)]
)
def test_the_tests_run_the_version_or_the_nearest_older_one(
    wanted: str, pinned: str | None
) -> None:
    assert bump.nearest(wanted, ["0.24.0", "0.32.0", "0.31.0"]) == pinned


def test_what_a_version_takes_away_is_named() -> None:
    now = deployed_release()
    less = replace(
        now,
        flags=now.flags - {"max-model-len", "seed"},
        tool_parsers=now.tool_parsers - {"hermes"},
        metrics=frozenset(),
    )
    lines = "\n".join(bump.differences(now, less))
    assert "flags that are gone: max-model-len, seed" in lines
    assert "settings without a flag: max-model-len;" in lines
    assert "tool parsers that are gone: hermes" in lines
    assert "vllm:num_requests_waiting" in lines


def test_between_the_releases_that_are_known_only_flags_went() -> None:
    lines = list(bump.differences(releases()[0], deployed_release()))
    assert [line for line in lines if "gone" in line] == [
        (
            "  flags that are gone: calculate-kv-scales, max-long-partial-prefills, "
            "max-num-partial-prefills, override-attention-dtype"
        )
    ]
    assert not any("without a flag" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["0.31", "sha256:" + "1" * 64, "who"], "VERSION"),
        (["0.31.0", "latest", "who"], "DIGEST"),
        (["0.31.0", "sha256:" + "1" * 64, " "], "SOURCE"),
    ],
)
def test_what_can_not_be_bumped_is_refused_before_anything_is_written(
    arguments: list[str], found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        bump.main(arguments)
    assert f"{found}: " in capsys.readouterr().err
