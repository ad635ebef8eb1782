"""The format of the price book: checks its entries, and makes the JSON Schema that is published.

The description of a field is what a message says is allowed.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue

_LONGEST = 80
"""Characters of what was found; a message's line has room for no more."""


def _whole(value: object) -> object:
    """Takes 2.0 for 2, as JSON Schema does."""
    if isinstance(value, float | Decimal) and value == int(value):
        return int(value)
    return value


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        msg = "no number"
        raise ValueError(msg)  # noqa: TRY004  # pydantic turns a ValueError into a mistake
    return Decimal(value)


Whole: TypeAlias = Annotated[int, BeforeValidator(_whole)]
Number: TypeAlias = Annotated[Decimal, BeforeValidator(_number)]


def described(what: str) -> ConfigDict:
    """Returns the configuration of an object that has its own fields and no others.

    Args:
        what: The object in words.
    """
    return ConfigDict(extra="forbid", strict=True, json_schema_extra={"description": what})


class PriceEntry(BaseModel):
    """One price."""

    model_config = described("a price: an object with identifier, usd, unit, source and as_of")

    identifier: str = Field(
        pattern=r"^(node(/[^/\s]+){3}/(on-demand|spot)"
        r"|(volume|control-plane|load-balancer|nat|egress)(/[^/\s]+){1,2})$",
        description="what is bought: node/CLOUD/REGION/TYPE/on-demand or /spot, or volume/, "
        "control-plane/, load-balancer/, nat/ or egress/ and one or two more parts",
    )
    usd: str = Field(
        pattern=r"^(0|[1-9][0-9]{0,8})([.][0-9]{1,15})?$",
        description="US dollars for one unit: a decimal number of 0 or more, in quotes, such as "
        '"0.08"',
    )
    unit: Literal["node-hour", "GB-month", "month", "GB", "unit-month"] = Field(
        description="what one unit is: node-hour, GB-month, month, GB or unit-month"
    )
    source: str = Field(min_length=1, description="where the figure is from: a text")
    as_of: str = Field(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        json_schema_extra={"format": "date"},
        description='day on which the source had it, such as "2026-07-20"',
    )
    private: bool = Field(
        default=False,
        description="true for a negotiated price: it stays when the book is refreshed, and reports "
        "leave its amount and source out",
    )


class NodeEntry(BaseModel):
    """One machine type."""

    model_config = described(
        "a machine type: an object with cloud, instance_type, gpu, gpus, vcpus and memory_gib"
    )

    cloud: str = Field(
        pattern="^[a-z0-9-]+$",
        description='name of the cloud, such as "aws": small letters, digits and hyphens',
    )
    instance_type: str = Field(
        pattern=r"^[^/\s]+$",
        description="the cloud's name of the machine type, without spaces and slashes",
    )
    gpu: str | None = Field(description="name of its GPU in gpus.json; null without GPU")
    gpus: Whole = Field(ge=0, le=256, description="how many GPUs: a whole number, 0 to 256")
    vcpus: Annotated[Whole, Field(ge=1, le=100_000)] | None = Field(
        description="virtual CPUs: a whole number, 1 to 100000; null where the source does not say"
    )
    memory_gib: (
        Annotated[
            Number,
            Field(gt=0, le=1_000_000),
            WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000}),
        ]
        | None
    ) = Field(
        description="memory in GiB: a number above 0, up to 1000000; null where the source does "
        "not say"
    )


class PriceBookDocument(BaseModel):
    """The whole file."""

    model_config = described(
        "Dated, sourced unit prices in US dollars, and what the machine types among them have."
    )

    version: Literal[1] = Field(description="version of this format: 1")
    prices: list[PriceEntry] = Field(
        min_length=1, description="a list of prices, each identifier once"
    )
    nodes: list[NodeEntry] = Field(
        min_length=1, description="a list of machine types, each of a cloud once"
    )


def fault(value: object, entry: type[BaseModel]) -> str | None:
    """Says what is wrong with an entry, first fault first.

    Args:
        value: As read from JSON.
        entry: What it should be.

    Returns:
        What was found and what is allowed; None where nothing is wrong.
    """
    try:
        entry.model_validate(value)
    except ValidationError as error:
        mistake = error.errors(include_url=False)[0]
    else:
        return None
    if not mistake["loc"]:
        what = entry.model_json_schema()["description"]
        return f"found {shown(value)}; allowed: {what}"
    name = str(mistake["loc"][0])
    if mistake["type"] == "extra_forbidden":
        return f'unknown field "{name}"; allowed: {", ".join(entry.model_fields)}'
    allowed = entry.model_fields[name].description
    if mistake["type"] == "missing":
        return f"{name} is missing; needed: {allowed}"
    return f"{name}: found {shown(mistake['input'])}; allowed: {allowed}"


def shown(value: object) -> str:
    """Returns what stands in the file, on one line."""
    text = json.dumps(value, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


class _Schema(GenerateJsonSchema):
    def generate(self, schema: Any, mode: JsonSchemaMode = "validation") -> JsonSchemaValue:
        head = {
            "$schema": self.schema_dialect,
            "$id": "urn:breakeven:schema:prices:1",
            "title": "Breakeven price book",
        }
        return {**super().generate(schema, mode), **head}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # of what it overrides
        return False


def price_book_schema() -> dict[str, Any]:
    """Returns the JSON Schema, draft 2020-12, of the price book."""
    return PriceBookDocument.model_json_schema(schema_generator=_Schema)


if __name__ == "__main__":
    print(json.dumps(price_book_schema(), indent=2))  # noqa: T201  # make price-schema writes it
