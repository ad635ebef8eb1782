"""Changes single settings of a stack file, and no other character."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from breakeven.errors import NoYamlError, StackFileError
from breakeven.settings.files import PREFIX, place_of, with_settings
from breakeven.yaml_documents import plain_value

Settings = Mapping[str, object]
"""Settings by dotted key, such as traffic.tokensPerDay."""


class _Inline(dict[str, object]):
    """A mapping that is the value of one setting, on one line."""


def setting_lines(settings: Settings) -> list[str]:
    """Returns the lines of a stack file that state some settings."""
    return _block(with_settings({}, _in_one_line(settings)), "  ", PREFIX)


def merge_settings(text: str, settings: Settings, name: str) -> str:
    """Returns the text of a stack file with some settings changed or added.

    Comments, order and spelling of everything else stay. The result is read back, and rejected
    unless it is the old file with exactly these settings changed.

    Args:
        text: Of the stack file.
        settings: By dotted key.
        name: Of the file, for messages.

    Raises:
        StackFileError: The file is not YAML, serves several models, or has a layout in which lines
            cannot be added.
    """
    try:
        before = plain_value(text) or {}
        yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError) as error:  # the latter for an invalid date
        raise NoYamlError(name, error) from error
    changed: str | None = text
    for key, value in _in_one_line(settings).items():
        changed = None if changed is None else _changed(changed, key, value)
    if changed is None or not _is_read_back(changed, before, settings):
        lines = "\n".join(setting_lines(settings))
        msg = (
            f"{name}: the layout of this file does not allow adding settings line by line, so it "
            f"was not changed. Add these lines under config:\n{lines}"
        )
        raise StackFileError(msg)
    return changed


def _in_one_line(settings: Settings) -> Settings:
    return {
        key: _Inline(value) if isinstance(value, Mapping) else value
        for key, value in settings.items()
    }


def _is_read_back(changed: str, before: object, settings: Settings) -> bool:
    """Whether the new text is the old file with these settings, and nothing else changed."""
    try:
        after = plain_value(changed)
    except (yaml.YAMLError, ValueError):
        return False
    config = (before.get("config") or {}) if isinstance(before, dict) else None
    if not isinstance(before, dict) or not isinstance(config, dict):
        return False
    spelled = {_spelling(config, key): value for key, value in settings.items()}
    expected = {**before, "config": with_settings(config, spelled)}
    return bool(after == expected)


def _spelling(config: Mapping[str, object], key: str) -> str:
    """How a file spells a key, with or without prefix; with the prefix if the key is missing."""
    group = key.partition(".")[0]
    models = next((name for name in (f"{PREFIX}models", "models") if name in config), "")
    if models and place_of(config[models], key) == 0:
        return f"{models}[0].{key}"
    return key if group in config and f"{PREFIX}{group}" not in config else f"{PREFIX}{key}"


def _changed(text: str, key: str, value: object) -> str | None:
    """Returns a text with one setting changed; None if its layout does not allow it."""
    newline = "\r\n" if "\r\n" in text else "\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    config = _child(root, "config")
    if not isinstance(config, yaml.MappingNode):
        return _first(text, config, {key: value}, newline)
    node, parts = _start(config, key)
    child = _child(node, parts[0])
    while isinstance(child, yaml.MappingNode) and len(parts) > 1:
        node, parts = child, parts[1:]
        child = _child(node, parts[0])
    if child is not None and len(parts) == 1:
        # A block's end mark is after the following content.
        start, end = child.start_mark.index, _last_leaf(child).end_mark.index
        return text[:start] + _inline(value) + text[end:]
    if child is not None or not isinstance(node, yaml.MappingNode):
        return None
    nested: object = value
    for part in reversed(parts[1:]):
        nested = {part: nested}
    return _inserted(text, node, {parts[0]: nested}, newline)


def _first(text: str, config: yaml.Node | None, settings: Settings, newline: str) -> str | None:
    """Adds the first setting to a file without settings."""
    lines = [*setting_lines(settings), ""]
    if config is None:
        ending = "" if not text or text.endswith("\n") else newline
        return text + ending + newline.join(["config:", *lines])
    if config.value:
        return None
    end = text.find("\n", config.end_mark.index)
    if end < 0:
        return text + newline + newline.join(lines)
    return text[: end + 1] + newline.join(lines) + text[end + 1 :]


def _start(config: yaml.MappingNode, key: str) -> tuple[yaml.Node, list[str]]:
    """Returns where to look for a setting, and the parts of its key from there."""
    group, *rest = key.split(".")
    models = _child(config, f"{PREFIX}models") or _child(config, "models")
    if isinstance(models, yaml.SequenceNode):
        values = yaml.SafeLoader("").construct_object(models, deep=True)
        if place_of(values, key) == 0:
            return models.value[0], [group, *rest]
    plain = _child(config, group) is not None and _child(config, f"{PREFIX}{group}") is None
    return config, [group if plain else f"{PREFIX}{group}", *rest]


def _inserted(
    text: str, node: yaml.MappingNode, stated: Mapping[str, object], newline: str
) -> str | None:
    """Adds a setting after the last one of a mapping."""
    if node.flow_style:
        end = node.end_mark.index - 1
        inner = _inline(stated).removeprefix("{").removesuffix("}")
        return text[:end].rstrip() + (", " if node.value else "") + inner + text[end:]
    indentation = " " * node.value[0][0].start_mark.column if node.value else "  "
    lines = _block(stated, indentation)
    last = _last_leaf(node)
    if (
        last.end_mark.column == 0 and last.end_mark.index > 0
    ):  # the end mark of a text block is below it
        place = last.end_mark.index
        return text[:place] + newline.join([*lines, ""]) + text[place:]
    end = text.find("\n", last.end_mark.index)
    if end < 0:
        return text + newline + newline.join([*lines, ""])
    return text[: end + 1] + newline.join([*lines, ""]) + text[end + 1 :]


def _block(stated: Mapping[str, object], indentation: str, prefix: str = "") -> list[str]:
    lines = []
    for key, value in stated.items():
        if isinstance(value, Mapping) and value and not isinstance(value, _Inline):
            lines += [f"{indentation}{prefix}{key}:", *_block(value, f"{indentation}  ")]
        else:
            lines.append(f"{indentation}{prefix}{key}: {_inline(value)}")
    return lines


def _inline(value: object) -> str:
    """Returns a value on one line; text that looks like a number keeps its quotes."""
    plain = dict(value) if isinstance(value, _Inline) else value
    text = yaml.safe_dump(
        plain, sort_keys=False, default_flow_style=True, width=10_000
    ).removesuffix("...\n")
    quoted = text.strip()
    return quoted.replace("'", '"') if quoted.startswith("'") and '"' not in quoted else quoted


def _last_leaf(node: yaml.Node) -> yaml.Node:
    """Returns the last node of a block; the block's end mark is after the following content."""
    if isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        return _last_leaf(last[1] if isinstance(last, tuple) else last)
    return node


def _child(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                found: yaml.Node = value
                return found
    return None
