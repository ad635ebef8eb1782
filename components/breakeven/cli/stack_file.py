"""Changes single settings of a stack file and leaves every other character as it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import yaml

from breakeven.errors import NoYamlError, StackFileError
from breakeven.settings.files import PREFIX


def setting_lines(settings: Mapping[str, int | str], indentation: str = "  ") -> list[str]:
    """Returns the lines of a stack file that state some settings."""
    return [f"{indentation}{PREFIX}{key}: {_scalar(value)}" for key, value in settings.items()]


def merge_settings(text: str, settings: Mapping[str, int | str], name: str) -> str:
    """Returns the text of a stack file with some settings changed or added.

    Comments, order and spelling of everything else stay. What comes out is read back, and refused
    unless it is the old file with exactly these settings changed.

    Args:
        text: Of the stack file.
        settings: By key without prefix.
        name: Of the file, for messages.

    Raises:
        StackFileError: The file is no YAML, or is written so that lines can't be added.
    """
    try:
        before = yaml.safe_load(text) or {}
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError) as error:  # the latter of a date that is none
        raise NoYamlError(name, error) from error
    newline = "\r\n" if "\r\n" in text else "\n"
    changed = _changed(text, root, settings, newline)
    try:
        after = yaml.safe_load(changed)
    except (yaml.YAMLError, ValueError):
        after = None
    if after != _expected(before, settings):
        lines = "\n".join(setting_lines(settings))
        msg = (
            f"{name}: is written so that settings can't be added line by line, so it was left "
            f"as it is. Put these lines under config: yourself:\n{lines}"
        )
        raise StackFileError(msg)
    return changed


def _scalar(value: int | str) -> str:
    """A number in quotes stays text: the engine refuses a number where text is declared."""
    if isinstance(value, int):
        return str(value)
    return value if isinstance(yaml.safe_load(value), str) else f'"{value}"'


def _expected(before: object, settings: Mapping[str, int | str]) -> dict[str, object]:
    """What has to be read back; nothing can be, where there is no place for settings."""
    config = (before.get("config") or {}) if isinstance(before, dict) else None
    if not isinstance(before, dict) or not isinstance(config, dict):
        return {}
    stated = {name: value for key, value in settings.items() for name in _names(key, config)}
    return {**before, "config": {**config, **stated}}


def _names(key: str, config: Collection[str]) -> list[str]:
    """How a file spells a key, with or without prefix; with it where it does not state it."""
    return [name for name in _spellings(key) if name in config] or [_spellings(key)[0]]


def _spellings(key: str) -> tuple[str, str]:
    return f"{PREFIX}{key}", key


def _changed(
    text: str, root: yaml.Node | None, settings: Mapping[str, int | str], newline: str
) -> str:
    config = _value_of(root, "config")
    if config is None:
        ending = "" if not text or text.endswith("\n") else newline
        return text + ending + newline.join(["config:", *setting_lines(settings), ""])
    missing = dict(settings)
    edits: list[tuple[int, int, str]] = []
    for key, stated in settings.items():
        for name in _spellings(key):
            value = _value_of(config, name)
            if value is not None:
                missing.pop(key, None)
                edits.append((value.start_mark.index, value.end_mark.index, _scalar(stated)))
    if missing:
        edits.append(_insertion(text, config, missing, newline))
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _insertion(
    text: str, config: yaml.Node, missing: Mapping[str, int | str], newline: str
) -> tuple[int, int, str]:
    """Where and what to insert after the last setting."""
    indentation = "  "
    if isinstance(config, yaml.MappingNode) and config.value:
        indentation = " " * config.value[0][0].start_mark.column
    last = _last_leaf(config)
    lines = setting_lines(missing, indentation)
    if last.end_mark.column == 0 and last.end_mark.index > 0:  # a block of text ends below itself
        return last.end_mark.index, last.end_mark.index, newline.join([*lines, ""])
    end = text.find("\n", last.end_mark.index)
    if end < 0:
        return len(text), len(text), newline + newline.join([*lines, ""])
    return end + 1, end + 1, newline.join([*lines, ""])


def _last_leaf(node: yaml.Node) -> yaml.Node:
    """The node at which a block really ends; a block's own mark lies beyond what follows it."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _last_leaf(last[1] if isinstance(last, tuple) else last)
    return node


def _value_of(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                found: yaml.Node = value
                return found
    return None
