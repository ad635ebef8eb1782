"""Reads typed values from a stack's configuration and collects every mistake."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from breakeven.catalog.price import split_private
from breakeven.errors import Problem, SettingsError

_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_LABEL_NAME = re.compile(rf"([a-z0-9][a-z0-9.-]{{0,252}}/)?(?=.){_LABEL_VALUE.pattern}", re.ASCII)


class ConfigReader:
    """Typed access to configuration that reports all mistakes instead of the first.

    A value that can't be used is recorded as a problem and replaced by the key's default, so that
    reading goes on; checks that span several keys ask `usable` first and stay silent where one of
    their keys is already reported.

    Attributes:
        entry_readers: Readers of the further models of the stack, in the order of the list.

    Args:
        values: What the stack states, by key without prefix, in Pulumi's wire form: strings, with
            booleans, numbers, arrays and objects as JSON.
        defaults: The defaults of Pulumi.yaml in the same form. Their keys are all that exist.
    """

    def __init__(self, values: Mapping[str, str], defaults: Mapping[str, str]) -> None:
        self._values = values
        self._defaults = defaults
        self._problems: list[Problem] = []
        self.entry_readers: tuple[EntryReader, ...] = ()
        for key in values:
            if key not in defaults:
                near = difflib.get_close_matches(key, defaults, n=1)
                hint = f"closest: {near[0]}" if near else "Pulumi.yaml lists all keys"
                self.reject(key, "no such setting", f"Remove it; {hint}")

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that was rejected so far, in order of the keys in Pulumi.yaml."""
        order = {key: position for position, key in enumerate(self._defaults)}
        return tuple(sorted(self._problems, key=lambda problem: order.get(problem.key, -1)))

    def reject(self, key: str, found: str, allowed: str, *, price: bool = False) -> None:
        """Records a mistake of one key; `price` for one that is missing or too old."""
        self._problems.append(Problem(key, found, allowed, price))

    def raise_problems(self, stack: str) -> None:
        """Raises everything that was rejected, as one error.

        Raises:
            SettingsError: At least one setting can't be used.
        """
        if self._problems:
            raise SettingsError(stack, self.problems)

    def usable(self, *keys: str) -> bool:
        """Tells whether none of these keys has been rejected."""
        return not {problem.key for problem in self._problems} & set(keys)

    def states(self, key: str) -> bool:
        """Tells whether a key's value is another than its default."""
        value, default = self._raw(key), self._defaults[key]
        parsed = _parsed(default)
        return value != default and (parsed is None or _parsed(value) != parsed)

    def text(self, key: str, *, pattern: str | None = None, allowed: str = "") -> str:
        """Reads a string; `pattern`, where given, must match all of it."""
        value = self._raw(key)
        if pattern is not None and not re.fullmatch(pattern, value):
            self.reject(key, f'found "{value}"', allowed)
            return self._defaults[key]
        return value

    def choice(self, key: str, allowed: Collection[str]) -> str:
        """Reads one of a few words."""
        value = self._raw(key)
        if value in allowed:
            return value
        near = difflib.get_close_matches(value, allowed, n=3)
        shown = f"Closest: {', '.join(near)}" if near else f"Allowed: {', '.join(allowed)}"
        self.reject(key, f'found "{value}"', shown)
        return self._defaults[key]

    def integer(self, key: str, lowest: int, highest: int) -> int:
        """Reads a whole number from `lowest` to `highest`, both included."""
        value = self._raw(key)
        try:
            number = int(value)
        except ValueError:
            number = None
        if number is not None and lowest <= number <= highest:
            return number
        self.reject(key, f'found "{value}"', f"Allowed: a whole number, {lowest:,} to {highest:,}")
        return int(self._defaults[key])

    def decimal(self, key: str, lowest: str, highest: str) -> Decimal:
        """Reads a decimal number from `lowest` to `highest`, both included."""
        number = self._decimal(key, self._raw(key), Decimal(lowest), Decimal(highest))
        return number if number is not None else Decimal(self._defaults[key])

    def optional_decimal(self, key: str, lowest: str, highest: str) -> Decimal | None:
        """Reads a decimal number, or None where the key is empty."""
        value = self._raw(key)
        if not value:
            return None
        return self._decimal(key, value, Decimal(lowest), Decimal(highest))

    def boolean(self, key: str) -> bool:
        """Reads true or false."""
        value = self._raw(key)
        if value not in ("true", "false"):
            self.reject(key, f'found "{value}"', "Allowed: true or false")
            value = self._defaults[key]
        return value == "true"

    def words(self, key: str, *, pattern: str, allowed: str) -> tuple[str, ...]:
        """Reads a list of strings, each of which matches `pattern` and appears once."""
        items = self._list(key)
        wrong = [
            item for item in items if not isinstance(item, str) or not re.fullmatch(pattern, item)
        ]
        if wrong:
            self.reject(key, f"found {_shown(wrong)}", allowed)
            return tuple(json.loads(self._defaults[key]))
        if len(set(items)) < len(items):
            self.reject(key, f"found {_shown(items)}", "Allowed: each entry once")
        return tuple(items)

    def labels(self, key: str) -> dict[str, str]:
        """Reads a mapping of Kubernetes label names to label values."""
        items = self._mapping(key)
        wrong = [name for name, value in items.items() if not isinstance(value, str)]
        if wrong:
            self.reject(
                key,
                f"found {_shown(wrong)} with a value that is no string",
                "Allowed: strings; put numbers and true in quotes",
            )
            return dict(json.loads(self._defaults[key]))
        malformed = [
            f"{name}: {value}"
            for name, value in items.items()
            if not _LABEL_NAME.fullmatch(name) or not _LABEL_VALUE.fullmatch(value)
        ]
        if malformed:
            self.reject(
                key,
                f"found {_shown(malformed)}",
                "Allowed: Kubernetes labels, such as nvidia.com/gpu.product: NVIDIA-L4",
            )
            return dict(json.loads(self._defaults[key]))
        return dict(items)

    @property
    def keys(self) -> Collection[str]:
        """All keys that exist."""
        return self._defaults.keys()

    def entries(self, key: str) -> list[Any]:
        """Reads a list of values of any kind, which the caller checks."""
        return self._list(key)

    def mapping(self, key: str) -> dict[str, Any]:
        """Reads a mapping of names to values of any kind, which the caller checks."""
        return self._mapping(key)

    def prices(self, key: str) -> tuple[dict[str, Decimal], frozenset[str]]:
        """Reads a mapping of names to prices of 0 or more, and which of them are marked private."""
        found: dict[str, Decimal] = {}
        private: set[str] = set()
        for name, value in self._mapping(key).items():
            amount, is_private = split_private(str(value))
            number = self._decimal(key, amount, Decimal(0), Decimal("1e9"), entry=name)
            if number is not None:
                found[name] = number
                if is_private:
                    private.add(name)
        return found, frozenset(private)

    def _raw(self, key: str) -> str:
        return self._values.get(key, self._defaults[key])

    def _list(self, key: str) -> list[Any]:
        parsed = _parsed(self._raw(key))
        if isinstance(parsed, list):
            return parsed
        self.reject(key, f'found "{self._raw(key)}"', "Allowed: a list")
        return list(json.loads(self._defaults[key]))

    def _mapping(self, key: str) -> dict[str, Any]:
        parsed = _parsed(self._raw(key))
        if isinstance(parsed, dict):
            return parsed
        self.reject(key, f'found "{self._raw(key)}"', "Allowed: a mapping of names to values")
        return dict(json.loads(self._defaults[key]))

    def _decimal(
        self, key: str, value: str, lowest: Decimal, highest: Decimal, entry: str = ""
    ) -> Decimal | None:
        try:
            number = Decimal(value)
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite() and lowest <= number <= highest:
            return number
        where = f' for "{entry}"' if entry else ""
        self.reject(
            key,
            f'found "{value}"{where}',
            f"Allowed: a number, {lowest:,f} to {highest:,f}",
        )
        return None


class EntryReader(ConfigReader):
    """Reads one entry of a list as a stack's values; its mistakes are the list's, too.

    Args:
        parent: Reader of the stack; a mistake that it has already is not told a second time.
        key: Of the list.
        label: By which messages name the entry.
        values: What the entry states, and what it shares with the stack.
        defaults: As for any reader.
    """

    def __init__(  # whose entry it is, and what any reader has
        self,
        parent: ConfigReader,
        key: str,
        label: str,
        values: Mapping[str, str],
        defaults: Mapping[str, str],
    ) -> None:
        self._parent, self._key, self._label = parent, key, label
        super().__init__(values, defaults)

    def reject(self, key: str, found: str, allowed: str, *, price: bool = False) -> None:
        """Records a mistake of one key of the entry."""
        super().reject(key, found, allowed, price=price)
        if Problem(key, found, allowed, price) not in self._parent.problems:
            found = f"{self._label}: {key}: {found}"
            self._parent.reject(self._key, found, allowed, price=price)


def _shown(items: Iterable[object]) -> str:
    return ", ".join(json.dumps(item) for item in items)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None
