"""Manifests and cost tables of every stack, compared with files that a person can read.

`make golden` regenerates them.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from breakeven.planning.offline import estimate_stack
from breakeven.reports.estimate_text import render
from breakeven.reports.text import WIDTH
from breakeven.settings.files import stack_names
from tests.recording import register_priced

# Syrupy wants the test's name in each path; here people look for the stack's name.
pytestmark = pytest.mark.filterwarnings("ignore:[\\s\\S]*Consider adding")

TODAY = date(2026, 11, 24)


class _OneFileAStack(SingleFileSnapshotExtension):
    """Keeps golden files where people look for them: tests/golden/KIND/STACK.SUFFIX."""

    _write_mode = WriteMode.TEXT

    @classmethod
    def get_snapshot_name(
        cls,
        *,
        test_location: PyTestLocation,  # noqa: ARG003  # the name of the base class's argument
        index: SnapshotIndex = 0,
    ) -> str:
        return str(index)

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(test_location.filepath).parent / test_location.methodname[5:])


class _Yaml(_OneFileAStack):
    file_extension = "yaml"


class _Text(_OneFileAStack):
    file_extension = "txt"


class _Readable(yaml.SafeDumper):
    """Writes long texts as blocks, and whole numbers, which the wire makes floats, as such."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _number(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    return dumper.represent_int(int(value)) if value.is_integer() else dumper.represent_float(value)


_Readable.add_representer(str, _text)
_Readable.add_representer(float, _number)


@pytest.mark.parametrize("stack", stack_names())
def test_manifests(stack: str, snapshot: SnapshotAssertion) -> None:
    resources = register_priced(stack, TODAY).resources
    documents = [
        {"type": entry.type, "name": entry.name, "inputs": entry.inputs}
        for entry in sorted(resources, key=lambda entry: (entry.type, entry.name))
    ]
    rendered = yaml.dump_all(documents, Dumper=_Readable, width=100, allow_unicode=True)
    assert rendered == snapshot(extension_class=_Yaml, name=stack)


@pytest.mark.parametrize("stack", stack_names())
def test_tables(stack: str, snapshot: SnapshotAssertion) -> None:
    table = render(estimate_stack(stack, TODAY))
    assert max(len(line) for line in table.splitlines()) <= WIDTH
    assert table == snapshot(extension_class=_Text, name=stack)
