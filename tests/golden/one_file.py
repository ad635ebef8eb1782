"""Golden files where people look for them: tests/golden/FOLDER/NAME.SUFFIX."""

from __future__ import annotations

from pathlib import Path

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex


class OneFile(SingleFileSnapshotExtension):
    """A file of its own for each name, in a folder that is named after the test."""

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
    def folder(cls, test_location: PyTestLocation) -> str:
        return test_location.methodname.removeprefix("test_")

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(test_location.filepath).parent / cls.folder(test_location))


class YamlFile(OneFile):
    file_extension = "yaml"


class TextFile(OneFile):
    file_extension = "txt"


class JsonFile(OneFile):
    file_extension = "json"


class MarkdownFile(OneFile):
    file_extension = "md"
