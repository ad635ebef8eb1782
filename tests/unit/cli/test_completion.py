"""After Tab a shell offers the stacks, models and GPUs that there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from breakeven.catalog.price_file import read_book
from breakeven.catalog.price_regions import SHIPPED, machine_regions
from breakeven.cli.completion import (
    complete_cloud,
    complete_gpu,
    complete_model,
    complete_place,
    complete_stack,
)
from breakeven.cli.quick_completion import OPTIONS, STACK_COMMANDS, quick_answer, regions_of
from breakeven.settings.files import stack_names
from tests.unit.cli.running import all_commands


def test_names_that_start_with_what_was_typed_are_offered() -> None:
    assert complete_stack("aw") == ["aws-prod"]
    assert tuple(complete_stack("")) == stack_names()
    assert complete_stack("nope") == []
    assert "llama-3.1-8b-instruct" in complete_model("llama-3.1")
    assert "l40s" in complete_gpu("l4")


def test_parts_of_a_gpu_are_offered_after_its_slash() -> None:
    assert complete_gpu("h100") == ["h100-pcie", "h100", "h100-nvl"]
    assert {"h100/1g.10gb", "h100/shared-2"} <= set(complete_gpu("h100/"))


def test_regions_are_those_of_the_cloud_that_was_named() -> None:
    [region] = [item for item in all_commands().commands["init"].params if item.name == "region"]
    context = typer.Context(all_commands().commands["init"])

    def offered(**params: object) -> set[str]:
        context.params = params
        return {item.value for item in region.shell_complete(context, "eu")}

    assert {"eu-central-1", "europe-west4"} <= offered()
    assert "eu-central-1" in offered(where="aws")
    assert "europe-west4" not in offered(where="aws")
    assert "aws/eu-central-1" in complete_place("aws/eu-c")
    assert complete_cloud("la") == ["lambda"]


@pytest.mark.parametrize(
    "command",
    ["estimate", "diff", "evidence", "recommend", "reconcile", "render", "report", "sensitivity"],
)
def test_every_command_about_a_stack_offers_stacks(command: str) -> None:
    parameters = all_commands().commands[command].params
    [stack] = [item for item in parameters if item.name in {"stack", "stacks"}]
    assert [item.value for item in stack.shell_complete(None, "aw")] == ["aws-prod"]


def test_a_shell_gets_the_names() -> None:
    words = {"COMP_WORDS": "breakeven estimate aw", "COMP_CWORD": "2"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("breakeven"))],
        env={"PATH": "/usr/bin", "_BREAKEVEN_COMPLETE": "complete_bash", **words},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["aws-prod"], done.stderr


@pytest.mark.parametrize(
    "line",
    [
        *("breakeven estimate aw", "breakeven serve ", "breakeven init x --model qwen3"),
        *("breakeven init x --gpu h100/", "breakeven estimate --api openai/gpt-4"),
        *("breakeven init x --region eu-", "breakeven prices refresh --region aws/eu"),
        "breakeven prices refresh --all --cloud la",
    ],
)
def test_names_are_offered_without_loading_the_commands(line: str) -> None:
    words = line.split(" ")
    environ = {
        "_BREAKEVEN_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    answer = quick_answer(environ)
    assert answer
    assert all(name.startswith(words[-1]) for name in answer)
    script = (
        "import os, sys; from breakeven.cli.quick_completion import quick_answer;"
        "quick_answer(os.environ);"
        "sys.exit('typer' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], env=environ, check=False).returncode == 0


def test_everything_else_is_completed_by_the_commands() -> None:
    for line, place in (("breakeven est", 1), ("breakeven estimate --fo", 2), ("breakeven 'a", 1)):
        environ = {"COMP_WORDS": line, "COMP_CWORD": str(place)}
        assert quick_answer({"_BREAKEVEN_COMPLETE": "complete_bash", **environ}) is None
    assert quick_answer({}) is None


def test_the_quick_way_offers_what_the_commands_offer() -> None:
    commands = all_commands().commands
    for name in STACK_COMMANDS:
        first = next(one for one in commands[name].params if one.param_type_name == "argument")
        assert [item.value for item in first.shell_complete(None, "aw")] == ["aws-prod"]
    for (name, option), complete in OPTIONS.items():
        command = commands[name.split()[0]]
        for part in name.split()[1:]:
            command = command.commands[part]
        [found] = [one for one in command.params if option in one.opts]
        offered = complete("")
        assert offered
        assert [item.value for item in found.shell_complete(None, "")] == offered


def test_the_quick_way_offers_the_regions_of_the_cloud_that_was_named() -> None:
    def offered(line: str) -> list[str] | None:
        words = line.split(" ")
        environ = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        return quick_answer({"_BREAKEVEN_COMPLETE": "complete_bash", **environ})

    assert offered("breakeven init x --where gcp --region eu") == regions_of("gcp", "eu")
    assert "eu-central-1" not in regions_of("gcp", "eu")
    assert {"eu-central-1", "europe-west4"} <= set(offered("breakeven init x --region eu") or ())


def test_regions_are_those_of_the_price_book() -> None:
    book = read_book()
    assert set(machine_regions((SHIPPED,))) == book.regions


def test_regions_of_a_damaged_or_absent_book_are_offered_as_far_as_they_can_be_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine.csv").write_bytes(b"\xff\nnode/mine/here/x1/on-demand\nnode/\nother,1\n")
    (tmp_path / "machines.csv").write_text("node/no/cloud/x\n", encoding="utf-8")
    assert ("mine", "here") in machine_regions((tmp_path, tmp_path / "absent"))
    assert not any(cloud == "no" for cloud, _ in machine_regions((tmp_path,)))
