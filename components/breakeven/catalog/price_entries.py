"""The entries of the price book: one price, one machine type.

The description of a field is what a message says is allowed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

_LONGEST = 80
"""Characters of what was found; a message's line has room for no more."""

UNITS = ("node-hour", "GB-month", "month", "GB", "unit-month")
"""What one unit of a price can be."""

INFRASTRUCTURE = (
    "volume",
    "control-plane",
    "load-balancer",
    "nat",
    "egress",
    "ip",
    "registry",
    "logs",
    "object-storage",
)
"""What is priced besides machines; the first part of an identifier."""

PURCHASES = ("on-demand", "spot", "reserved-1y", "reserved-3y")
"""How a machine is bought; the last part of its identifier."""


def _number(text: object) -> object:
    """Reads a number, and leaves to the check what is none."""
    try:
        return float(text) if isinstance(text, str) else text
    except ValueError:
        return text


def _whole(text: object) -> object:
    return int(text) if isinstance(text, str) and text.isdecimal() else text


def _or_none(text: object) -> object:
    return None if text == "" else text


Whole: TypeAlias = Annotated[int, BeforeValidator(_whole)]
Number: TypeAlias = Annotated[float, BeforeValidator(_number)]


def described(what: str) -> ConfigDict:
    """Returns the configuration of an entry that has its own fields and no others.

    Args:
        what: The entry in words.
    """
    return ConfigDict(extra="forbid", strict=True, json_schema_extra={"description": what})


class PriceEntry(BaseModel):
    """One price."""

    model_config = described("a price: identifier, usd, unit, as_of, source and terms")

    identifier: str = Field(
        pattern=rf"^(node(/[^/\s]+){{3}}/({'|'.join(PURCHASES)})"
        rf"|({'|'.join(INFRASTRUCTURE)})(/[^/\s]+){{1,3}})$",
        description=f"node/CLOUD/REGION/TYPE/PURCHASE with the purchase {', '.join(PURCHASES)}; "
        f"or KIND/CLOUD/REGION/NAME with the kind {', '.join(INFRASTRUCTURE)}",
    )
    usd: str = Field(
        pattern=r"^(0|[1-9][0-9]{0,8})([.][0-9]{1,15})?$",
        description="US dollars for one unit: a decimal number of 0 or more, such as 0.08",
    )
    unit: str = Field(
        pattern=f"^({'|'.join(UNITS)})$", description=f"what one unit is: {', '.join(UNITS)}"
    )
    as_of: str = Field(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="day on which the source had it, such as 2026-07-20",
    )
    source: str = Field(min_length=1, description="where the figure is from: a text")
    terms: str = Field(
        min_length=1,
        description="terms on which the figure may be shown: a license such as MIT, quoted for a "
        "single published list price, own for a list of your own, or private "
        "for a negotiated price, which a refresh keeps and reports leave out",
    )


class NodeEntry(BaseModel):
    """One machine type."""

    model_config = described(
        "a machine type: cloud, instance_type, gpu, gpus, vcpus and memory_gib"
    )

    cloud: str = Field(
        pattern="^[a-z0-9-]+$",
        description="name of the cloud, such as aws: small letters, digits and hyphens",
    )
    instance_type: str = Field(
        pattern=r"^[^/\s]+$",
        description="the cloud's name of the machine type, without spaces and slashes",
    )
    gpu: Annotated[str | None, BeforeValidator(_or_none)] = Field(
        description="name of its GPU in gpus.json; empty without GPU"
    )
    gpus: Whole = Field(ge=0, le=256, description="how many GPUs: a whole number, 0 to 256")
    vcpus: Annotated[
        Annotated[Whole, Field(ge=1, le=100_000)] | None, BeforeValidator(_or_none)
    ] = Field(
        description="virtual CPUs: a whole number, 1 to 100000; empty where the source does not say"
    )
    memory_gib: Annotated[
        Annotated[Number, Field(gt=0, le=1_000_000)] | None, BeforeValidator(_or_none)
    ] = Field(
        description="memory in GiB: a number above 0, up to 1000000; empty where the source does "
        "not say"
    )


def fault(entry: Mapping[str, object], kind: type[BaseModel]) -> str | None:
    """Says what is wrong with an entry, first fault first.

    Args:
        entry: Its fields, as text.
        kind: What it should be.

    Returns:
        What was found and what is allowed; None if nothing is wrong.
    """
    try:
        kind.model_validate(entry)
    except ValidationError as error:
        mistake = error.errors(include_url=False)[0]
    else:
        return None
    name = str(mistake["loc"][0])
    allowed = kind.model_fields[name].description
    return f"{name}: found {shown(entry.get(name))}; allowed: {allowed}"


def shown(value: object) -> str:
    """Returns what stands in the file, on one line."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
