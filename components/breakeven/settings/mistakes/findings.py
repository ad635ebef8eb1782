"""From what pydantic refuses to problems: key, found, allowed and the way out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from breakeven.settings.fields import Form, Group, shown
from breakeven.suggestions import near_names

G = TypeVar("G", bound=Group)
Path = tuple[str, ...]
"""A key in parts, without its group: ("karpenter", "nodeRole")."""


def validated(
    group: type[G], stated: Mapping[str, object]
) -> tuple[G, dict[Path, tuple[str, str]]]:
    """Reads a group; where a value cannot be used the default stands in for it.

    Args:
        group: Which group.
        stated: What the stack states of it.

    Returns:
        The group, and what was found and what is allowed for each key that cannot be used.
    """
    mistakes: dict[Path, tuple[str, str]] = {}
    rest = stated
    while True:
        try:
            return group.model_validate(rest), mistakes
        except ValidationError as error:
            details = error.errors(include_url=False)
        errors: dict[Path, list[ErrorDetails]] = {}
        for detail in details:
            errors.setdefault(_place(group, detail)[0], []).append(detail)
        for path, several in errors.items():
            mistakes[path] = _message(group, several)
            for detail in several:
                rest = _without_refused(rest, path, detail)


def _without_refused(
    stated: Mapping[str, object], path: Path, detail: ErrorDetails
) -> dict[str, object]:
    """Leaves out the entry of a mapping that is refused, or all that is stated of a key."""
    value: object = stated
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    entry = detail["loc"][len(path) : len(path) + 1]
    if isinstance(value, Mapping) and entry and entry[0] in value:
        return _without(stated, (*path, str(entry[0])))
    rest = _without(stated, path)
    return rest if rest != stated else _without(stated, path[:1])


def _place(
    group: type[BaseModel], detail: ErrorDetails
) -> tuple[Path, FieldInfo | None, type[BaseModel]]:
    """Returns the key that an error is about, its field, and the model that has it.

    The field is None where the key is unknown, or names an entry of a mapping.
    """
    model, field, path = group, None, []
    parts = list(detail["loc"])
    while parts:
        part = str(parts.pop(0))
        path.append(part)
        field = _fields(model).get(part)
        inner = None if field is None else _model_in(field)
        if field is None or inner is None:
            break
        if get_origin(field.annotation) is not None and parts:  # a mapping to such models
            path.append(str(parts.pop(0)))
            field = None
            if parts == ["[key]"]:
                break
        model = inner
    return tuple(path), field, model


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or "": field for field in model.model_fields.values()}


def _model_in(field: FieldInfo) -> type[Group] | None:
    """Returns the group that a field is, or that the entries of a mapping are."""
    kinds = (field.annotation, *get_args(field.annotation))
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, Group)), None)


def _message(group: type[BaseModel], details: Sequence[ErrorDetails]) -> tuple[str, str]:
    """Returns what was found and what is allowed, of all errors of one key."""
    first = details[0]
    path, field, model = _place(group, first)
    for detail in details:
        if detail["type"] == "refused":
            return detail["ctx"]["found"], detail["ctx"]["allowed"]
    if field is None:
        return _entry(group, first) or unknown(path[-1], _fields(model))
    if len(first["loc"]) > len(path):  # entries of a list or a mapping
        *_, kind = (each for each in get_args(field.annotation) if each is not ...)
        is_list = get_origin(field.annotation) is tuple
        found = ", ".join(
            f'"{shown(each["input"])}"' + ("" if is_list else f' for "{each["loc"][-1]}"')
            for each in details
        )
        return f"found {found}", f"Allowed: {allowed_of(kind)}"
    return f'found "{shown(first["input"])}"', _way_out(field, first["input"])


def _entry(group: type[BaseModel], detail: ErrorDetails) -> tuple[str, str] | None:
    """Returns the message about an entry of a mapping, if the error is about one."""
    if detail["loc"][-1] == "[key]":
        *above, mapping = map(str, detail["loc"][:-2])
        model = group
        for part in above:
            model = _model_in(_fields(model)[part]) or model
        name_type = get_args(_fields(model)[mapping].annotation)[0]
        return f'found the name "{detail["input"]}"', f"Allowed: {allowed_of(name_type)}"
    if detail["type"] != "model_type":
        return None
    _, _, model = _place(group, detail)
    names = ", ".join(_fields(model))
    return f"found {shown(detail['input'])}", f"Allowed: a mapping of any of {names}"


def unknown(key: str, known: Iterable[str]) -> tuple[str, str]:
    """Returns the message about a key that there is not."""
    near = near_names(key, list(known))[:1]
    hint = f"Did you mean '{near[0]}'?" if near else "docs/settings.md lists all settings"
    return f"unknown setting '{key}'", hint


def _way_out(field: FieldInfo, value: object) -> str:
    words = _words(field.annotation, field.metadata)
    near = near_names(shown(value), list(words))[:3] if words else ()
    if near:
        return f"Closest: {', '.join(near)}"
    return f"Allowed: {allowed_of(field.annotation, field.metadata)}"


def _words(kind: object, metadata: Iterable[object]) -> list[str]:
    """Returns all words that a field may have, where they can be listed."""
    for form in metadata:
        if isinstance(form, Form) and form.words is not None:
            return list(form.words())
    if get_origin(kind) is Literal:
        return [str(word) for word in get_args(kind)]
    return []


_PLAIN: Mapping[object, str] = {bool: "true or false", str: "text"}


def allowed_of(kind: object, metadata: Iterable[object] = ()) -> str:
    """Returns in words which values a field takes."""
    plain = _without_none(kind)
    metadata = tuple(metadata)
    if get_origin(plain) is Annotated:
        inner, *more = get_args(plain)
        return allowed_of(inner, (*more, *metadata))
    words = _words(kind, metadata)
    if words:
        return ", ".join(words)
    form = next((each for each in metadata if isinstance(each, Form)), None)
    if form is not None:
        return form.allowed + (", or empty" if form.may_be_empty else "")
    if get_origin(plain) is tuple:
        return f"a list; each: {allowed_of(get_args(plain)[0])}"
    if plain in (int, Decimal):
        return _limits(plain, metadata) + (", or empty" if plain is not kind else "")
    return _PLAIN.get(plain, "a mapping of names to values")


def _limits(kind: object, metadata: Iterable[object]) -> str:
    """Says the limits of a number, which pydantic keeps as attributes ge, gt and le."""
    what = "a whole number" if kind is int else "a number"
    found: dict[str, Any] = {
        name: getattr(each, name)
        for each in metadata
        for name in ("ge", "gt", "le")
        if hasattr(each, name)
    }
    if "le" not in found:
        return what
    low = f"more than {Decimal(found['gt']):,f}" if "gt" in found else f"{Decimal(found['ge']):,f}"
    return f"{what}, {low} to {Decimal(found['le']):,f}"


def _without_none(kind: object) -> object:
    if get_origin(kind) in (Union, UnionType):
        return next(each for each in get_args(kind) if each is not type(None))
    return kind


def _without(stated: Mapping[str, object], path: Path) -> dict[str, object]:
    first, *rest = path
    value = stated.get(first)
    if not rest or not isinstance(value, Mapping):
        return {key: each for key, each in stated.items() if str(key) != first}
    return {**stated, first: _without(value, tuple(rest))}


def keys_of(group: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    """Yields all settings of a group with their dotted keys, those of groups in it as well."""
    for field in group.model_fields.values():
        key = f"{prefix}.{field.alias}"
        inner = _model_in(field)
        if inner is not field.annotation:
            yield key, field
        if inner is not None:
            yield from keys_of(inner, key if inner is field.annotation else f"{key}.NAME")
