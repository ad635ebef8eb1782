"""The reference of all settings, as Markdown: docs/settings.md is made of it.

Descriptions and defaults are those of Pulumi.yaml. What is allowed is noted while the settings are
read by the same code as for every stack, so it can't differ from what a stack is judged by.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal

import yaml

from breakeven.settings.files import ROOT, defaults
from breakeven.settings.models import INHERITED, OWN
from breakeven.settings.parse import read
from breakeven.settings.reader import ConfigReader

_INTRODUCTION = """\
# Settings

Every setting of a stack file, as `breakeven:NAME: value` under `config:`; a file states only what
differs from the default. Made from `Pulumi.yaml` and from the code that reads it by
`make settings-docs`; a test fails where this page is not current. Prices, rates
and factors are strings, because configuration has no decimal type. USD wherever money is named.

Beyond these limits some values do not go together, such as a model and a GPU that is too small for
it. All such mistakes of a file are told at once, by `breakeven estimate` and by every preview.
"""
_GROUP = re.compile(r"^  # --- (?P<name>[\w ]+?) -+$")
_KEY = re.compile(r"^  (?P<key>\w+):$")


class _Noting(ConfigReader):
    """Reads defaults, and notes what would be allowed of each."""

    def __init__(self) -> None:
        super().__init__({}, defaults())
        self.allowed: dict[str, str] = {}

    def text(self, key: str, *, pattern: str | None = None, allowed: str = "") -> str:
        """Notes in which words a wrong text is answered."""
        if allowed:
            self.allowed[key] = allowed.removeprefix("Allowed: ")
        return super().text(key, pattern=pattern, allowed=allowed)

    def choice(self, key: str, allowed: Collection[str]) -> str:
        """Notes the words."""
        self.allowed[key] = ", ".join(f"`{word}`" for word in allowed)
        return super().choice(key, allowed)

    def integer(self, key: str, lowest: int, highest: int) -> int:
        """Notes the limits."""
        self.allowed[key] = f"{lowest:,} to {highest:,}"
        return super().integer(key, lowest, highest)

    def decimal(self, key: str, lowest: str, highest: str) -> Decimal:
        """Notes the limits."""
        self.allowed[key] = _limits(lowest, highest)
        return super().decimal(key, lowest, highest)

    def optional_decimal(self, key: str, lowest: str, highest: str) -> Decimal | None:
        """Notes the limits."""
        self.allowed[key] = f"{_limits(lowest, highest)}, or empty"
        return super().optional_decimal(key, lowest, highest)

    def boolean(self, key: str) -> bool:
        """Notes the two words."""
        self.allowed[key] = "`true`, `false`"
        return super().boolean(key)

    def words(self, key: str, *, pattern: str, allowed: str) -> tuple[str, ...]:
        """Notes in which words a wrong entry is answered."""
        self.allowed[key] = f"a list; each: {allowed.removeprefix('Allowed: ')}"
        return super().words(key, pattern=pattern, allowed=allowed)


def reference() -> str:
    """Returns the reference."""
    entries = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    noting = _Noting()
    read(noting)
    parts = [_INTRODUCTION]
    for group, keys in groups().items():
        parts.append(f"## {group[:1].upper()}{group[1:]}\n")
        for key in keys:
            allowed = noting.allowed.get(key, "")
            parts.append(_entry(key, entries[key], allowed))
    return "\n".join(parts)


def groups() -> dict[str, list[str]]:
    """Returns the keys under the headings by which Pulumi.yaml orders them."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (ROOT / "Pulumi.yaml").read_text(encoding="utf-8").splitlines():
        if heading := _GROUP.match(line):
            current = found.setdefault(heading["name"], [])
        elif key := _KEY.match(line):
            current.append(key["key"])
    return {name: keys for name, keys in found.items() if keys}


def _entry(key: str, declared: dict[str, object], allowed: str) -> str:
    default = declared["default"]
    shown = "empty" if default in ("", [], {}) else f"`{_plain(default)}`"
    facts = [f"{declared['type']}, default {shown}"]
    facts += [f"allowed: {allowed}"] if allowed else []
    facts += ["each of `additionalModels` may have its own"] if key in (*OWN, *INHERITED) else []
    return f"### {key}\n\n{declared['description']}.\n\n*{'; '.join(facts)}.*\n"


def _plain(value: object) -> str:
    text = value if isinstance(value, str) else yaml.safe_dump(value, default_flow_style=True)
    return text.removesuffix("\n...\n").strip()


def _limits(lowest: str, highest: str) -> str:
    return f"{Decimal(lowest):,f} to {Decimal(highest):,f}"


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201  # make settings-docs writes it to the file
