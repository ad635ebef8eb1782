"""Types of fields that several groups share, and what all groups of settings have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, NoReturn

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from breakeven.counts import PATTERN as COUNT
from breakeven.counts import read_count

LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
"""Of a namespace or a Service: a DNS label (RFC 1123)."""
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
"""Of a Secret, a volume claim or a storage class: DNS labels with dots between them (RFC 1123)."""
REGISTRY_HOST = r"((?=[^/]*[.:]|localhost(?![^/]))[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?)"
"""Of a registry. A first part without dot or port is none to a container runtime, but a folder of
Docker Hub; `localhost` is the exception."""
IMAGE = rf"{REGISTRY_HOST}(/[a-z0-9._-]+)+"
"""Of an image: everything before its tag."""
DIGEST = r"@sha256:[0-9a-f]{64}"
HOST_ALLOWED = "HOST has a dot or a port, or is localhost"

_LABEL_VALUE = r"([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?"
_LABEL_NAME = rf"([a-z0-9][a-z0-9.-]{{0,252}}/)?(?=.){_LABEL_VALUE}"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Values that cannot be used together, found by a check that reads several keys.

    Attributes:
        key: The setting to change, with dots, such as replicas.max.
        found: What the stack says, in words.
        allowed: What would be accepted, or what to change.
        needs: Further settings that the check reads. Where one of them, or the key itself, is
            reported already, the conflict says nothing new.
        price: Whether it is a price that is missing or too old.
    """

    key: str
    found: str
    allowed: str
    needs: tuple[str, ...] = ()
    price: bool = False


class Group(BaseModel):
    """A group of settings. In files a field is written in camel case."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, arbitrary_types_allowed=True
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yields values of this group that cannot be used together."""
        yield from ()


REFUSED = "refused"
"""Type of an error that has its own message."""


def refuse(found: str, allowed: str) -> NoReturn:
    """Refuses the value of a field with another message than the one of its type."""
    raise PydanticCustomError(REFUSED, "{found}", {"found": found, "allowed": allowed})


def shown(value: object) -> str:
    """Returns a value as a message shows it."""
    return str(value) if isinstance(value, str | Decimal) else json.dumps(value, default=str)


class Form:
    """The form of a text, for a field's annotation.

    Args:
        make: What is made of a text that has it; raises ValueError where it has not.
        allowed: What a message says is allowed.
        pattern: Regular expression for editors; empty if there is none.
        words: All texts of this form, where they can be listed; with a pattern the usual ones,
            beside which others have it.
        empty: What the empty text stands for, where it is allowed.
    """

    def __init__(
        self,
        make: Callable[[str], object],
        *,
        allowed: str = "",
        pattern: str = "",
        words: Callable[[], Collection[str]] | None = None,
        **empty: object,
    ) -> None:
        self._make, self.allowed, self._pattern, self.words = make, allowed, pattern, words
        self._empty = empty

    @property
    def may_be_empty(self) -> bool:
        """Whether the empty text is allowed."""
        return bool(self._empty)

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def __get_pydantic_json_schema__(self, schema: object, handler: object) -> dict[str, Any]:
        if self.words is not None and self._pattern:
            others = {"type": "string", "pattern": f"^({self._pattern})$"}
            return {"anyOf": [{"type": "string", "enum": list(self.words())}, others]}
        if self.words is not None:
            return {"type": "string", "enum": list(self.words())}
        optional = "?" if self.may_be_empty else ""
        pattern = {"pattern": f"^({self._pattern}){optional}$"} if self._pattern else {}
        return {"type": "string", **pattern}

    def _validate(self, value: object) -> object:
        text = _text(value)
        if not text and self._empty:
            return self._empty["empty"]
        return self._make(text)


def matching(pattern: str, allowed: str, **empty: object) -> Form:
    """Returns the form of a text that a regular expression matches as a whole."""
    compiled = re.compile(pattern, re.ASCII)

    def make(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise ValueError(text)
        return text

    return Form(make, allowed=allowed, pattern=pattern, words=None, **empty)


def one_of(words: Callable[[], Collection[str]], make: Callable[[str], object] = str) -> Form:
    """Returns the form of a text that is one of a few words."""

    def chosen(text: str) -> object:
        if text not in words():
            raise ValueError(text)
        return make(text)

    return Form(chosen, words=words)


def _text(value: object) -> str:
    # The command line of Pulumi and YAML make a number or a boolean of what looks like one.
    if isinstance(value, str):
        return value
    if isinstance(value, int | float | Decimal):
        return shown(value) if isinstance(value, bool) else str(value)
    raise ValueError(value)


def _integer(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(value)


def _count(value: object) -> object:
    return read_count(value) if isinstance(value, str) else _integer(value)


def _boolean(value: object) -> bool:
    words = {"true": True, "false": False}
    if isinstance(value, str) and value in words:
        return words[value]
    if isinstance(value, bool):
        return value
    raise ValueError(value)


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError(value)  # noqa: TRY004  # pydantic collects value errors alone
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(value) from None
    if not number.is_finite():
        raise ValueError(value)
    return number


def _optional_decimal(value: object) -> Decimal | None:
    return None if value == "" else _decimal(value)


def json_value(text: str) -> object:
    """Returns what a JSON text holds, with exact decimals; the text itself if it holds none."""
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        return text


def _list(value: object) -> list[object]:
    parsed = json_value(value) if isinstance(value, str) else value
    if not isinstance(parsed, list | tuple):
        raise ValueError(value)  # noqa: TRY004  # pydantic collects value errors alone
    items = [json.dumps(item, default=str) for item in parsed]
    if len(set(items)) < len(items):
        refuse(f"found {', '.join(items)}", "Allowed: each entry once")
    return list(parsed)


def mapping_of(value: object) -> Mapping[object, object]:
    """Returns a mapping, also one that is stated as JSON.

    Raises:
        ValueError: It is none.
    """
    parsed = json_value(value) if isinstance(value, str) else value
    if not isinstance(parsed, Mapping):
        raise ValueError(value)  # noqa: TRY004  # pydantic collects value errors alone
    return parsed


def _labels(value: object) -> Mapping[str, str]:
    items = mapping_of(value)
    wrong = [str(name) for name, text in items.items() if not isinstance(text, str)]
    if wrong:
        refuse(
            f"found {', '.join(map(json.dumps, wrong))} with a value that is not a string",
            "Allowed: strings; put numbers and true in quotes",
        )
    malformed = [
        f"{name}: {text}"
        for name, text in items.items()
        if not re.fullmatch(_LABEL_NAME, str(name), re.ASCII)
        or not re.fullmatch(_LABEL_VALUE, str(text), re.ASCII)
    ]
    if malformed:
        refuse(
            f"found {', '.join(map(json.dumps, malformed))}",
            "Allowed: Kubernetes labels, such as nvidia.com/gpu.product: NVIDIA-L4",
        )
    return {str(name): str(text) for name, text in items.items()}


Digits = BeforeValidator(_integer)
"""Before whole numbers of which a few are allowed."""
List = BeforeValidator(_list)
"""Before a tuple: takes a list, and refuses an entry that appears twice."""
Entries = BeforeValidator(mapping_of)
"""Before a mapping."""
Text = Annotated[str, BeforeValidator(_text)]
Integer = Annotated[int, BeforeValidator(_integer)]
Count = Annotated[
    int,
    BeforeValidator(_count),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": f"^{COUNT}$"},
            ]
        }
    ),
]
"""A large whole number, such as 60000000, 60M or 5e7."""
Boolean = Annotated[bool, BeforeValidator(_boolean)]
Number = Annotated[Decimal, BeforeValidator(_decimal)]
OptionalNumber = Annotated[Decimal | None, BeforeValidator(_optional_decimal)]
Labels = Annotated[Mapping[str, str], BeforeValidator(_labels)]

_NAME = "a Kubernetes name: lower-case letters, digits and hyphens, at most 63"
_DOTTED = (
    "a Kubernetes name: lower-case letters, digits and hyphens, in parts of at most 63 with dots "
    "between them"
)
COMMIT = "a commit of 40 hexadecimal digits; a branch or tag can move"
KubernetesName = Annotated[str, matching(LABEL, _NAME)]
OptionalKubernetesName = Annotated[str, matching(LABEL, _NAME, empty="")]
ObjectName = Annotated[str, matching(SUBDOMAIN, _DOTTED)]
OptionalObjectName = Annotated[str | None, matching(SUBDOMAIN, _DOTTED, empty=None)]
OptionalCommitHash = Annotated[
    str | None, matching(r"[0-9a-f]{40}", "a commit of 40 hexadecimal digits", empty=None)
]
_MACHINE = (r"[A-Za-z0-9][A-Za-z0-9._-]*", "a machine type such as g6e.xlarge")
MachineType = Annotated[str, matching(*_MACHINE)]
OptionalMachineType = Annotated[str, matching(*_MACHINE, empty="")]
ImageReference = Annotated[
    str,
    matching(
        # Envoy's tags have a variant before the version; its rate limit service's are commits.
        rf"{IMAGE}:(([a-z]+-)?v?\d+\.\d+\.\d+[\w.-]*|[0-9a-f]{{8,40}}){DIGEST}",
        "HOST/PATH:VERSION@sha256:DIGEST; both tag and digest, never latest; " + HOST_ALLOWED,
    ),
]
_API = (r"[a-z0-9_-]+/\S+", "PROVIDER/MODEL such as openai/gpt-5.6-luna")
ApiReference = Annotated[str, matching(*_API)]
OptionalApiReference = Annotated[str, matching(*_API, empty="")]
