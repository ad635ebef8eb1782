"""Waivers: temporary exemptions of one resource from one rule, with owner and reason."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from breakeven.errors import UserError
from breakeven.policy.registry import RULES
from breakeven.yaml_documents import plain_value

_KEYS = ("rule", "resource", "owner", "reason", "expires")
_SHORTEST_REASON = 20


class WaiverError(UserError):
    """An invalid file of waivers; names every error."""

    def __init__(self, path: Path, problems: Iterable[str]) -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{path}: invalid waivers; all waivers in this file are ignored.\n{lines}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """One waiver.

    Attributes:
        rule: Identifier of the rule.
        resource: KIND/NAMESPACE/NAME, or KIND/NAME for a kind without namespace. The namespace can
            be "*", because
        stacks choose theirs, and a name can end in "-*" if its end is derived from the contents;
        everything else must match exactly.
        owner: Who is responsible for it.
        reason: Why the resource cannot follow the rule.
        expires: The last day on which it is valid.
    """

    rule: str
    resource: str
    owner: str
    reason: str
    expires: date

    def covers(self, rule: str, resource: str) -> bool:
        """Tells whether it applies to this rule and this resource."""
        stated, found = self.resource.split("/"), resource.split("/")
        # Compared part by part: a "*" that also matched "/" would cover everything in a namespace.
        return self.rule == rule and len(stated) == len(found) and all(map(_matches, stated, found))

    def is_expired(self, today: date) -> bool:
        """Tells whether it has expired."""
        return today > self.expires


def _matches(stated: str, found: str) -> bool:
    beginning, star, _ = stated.partition("*")
    return found.startswith(beginning) if star else found == stated


def read_waivers(paths: Iterable[Path]) -> tuple[Waiver, ...]:
    """Reads files of waivers: a list under the key `waivers`.

    Raises:
        WaiverError: A file is missing, is not YAML, or contains an incomplete waiver.
    """
    return tuple(waiver for path in paths for waiver in _read(path))


def _read(path: Path) -> list[Waiver]:
    try:
        document = plain_value(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WaiverError(path, [f"cannot read the file: {error.strerror}"]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise WaiverError(path, [f"invalid YAML: {' '.join(str(error).split())}"]) from error
    entries = document.get("waivers") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise WaiverError(path, ["no list under the key waivers"])
    problems: list[str] = []
    waivers: list[Waiver] = []
    for number, entry in enumerate(entries, start=1):
        found = list(_problems(entry))
        problems += [f"{number}. {problem}" for problem in found]
        if not found:
            waivers.append(Waiver(**{key: entry[key] for key in _KEYS}))
    if problems:
        raise WaiverError(path, problems)
    return waivers


def _problems(entry: Any) -> Iterable[str]:
    if not isinstance(entry, Mapping):
        yield f"not a mapping. Required keys: {', '.join(_KEYS)}"
        return
    for key in sorted(set(map(str, entry)) - set(_KEYS)):
        yield f"{key}: unknown key. Allowed: {', '.join(_KEYS)}"
    for key, problems_of in _TEXTS.items():
        value = entry.get(key)
        if isinstance(value, str) and value.strip():
            yield from problems_of(value)
        else:
            yield f"{key}: missing. Required: a text"
    expires = entry.get("expires")
    if not isinstance(expires, date) or isinstance(expires, datetime):
        yield f"expires: found {expires!r}. Required: the last valid day, as YYYY-MM-DD"


def _no_problems(_text: str) -> Iterable[str]:
    return ()


def _reason_problems(reason: str) -> Iterable[str]:
    if len(reason.strip()) < _SHORTEST_REASON:
        yield (
            f'reason: "{reason}" is not an explanation. State why the resource cannot follow '
            "the rule"
        )


def _rule_problems(identifier: str) -> Iterable[str]:
    known = [rule.id for rule in RULES]
    if identifier not in known:
        near = difflib.get_close_matches(identifier, known, n=3)
        hint = (
            f"Did you mean {' or '.join(near)}?" if near else "See docs/policies.md for all rules"
        )
        yield f'rule: unknown rule "{identifier}". {hint}'


def _resource_problems(resource: str) -> Iterable[str]:
    kind, *namespaces, name = resource.split("/") if "/" in resource else (resource, "")
    # Only these wildcards: a wide waiver would disable the rule.
    fixed = [kind, name.removesuffix("-*"), *(part for part in namespaces if part != "*")]
    if not name or len(namespaces) > 1 or not all(fixed) or any("*" in part for part in fixed):
        yield (
            f'resource: found "{resource}". Allowed: KIND/NAMESPACE/NAME, or KIND/NAME for a kind '
            'without namespace; only NAMESPACE can be "*", and NAME can end in "-*"'
        )


_TEXTS: Mapping[str, Callable[[str], Iterable[str]]] = {
    "rule": _rule_problems,
    "resource": _resource_problems,
    "owner": _no_problems,
    "reason": _reason_problems,
}
