"""The values that the JSON form of a report consists of."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


def _number_as_text(value: object) -> object:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        msg = 'a number as a text, such as "12.50"'
        raise ValueError(msg)
    return value


_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
NumberAsText: TypeAlias = Annotated[str, BeforeValidator(_number_as_text)]

Money: TypeAlias = Annotated[NumberAsText, Field(pattern=r"^-?[0-9]+\.[0-9]{2}$")]
"""USD monthly, rounded to cents; a text, so that no reader turns it into a binary fraction."""

Amount: TypeAlias = Annotated[NumberAsText, Field(pattern=r"^-?[0-9]+(\.[0-9]{1,6})?$")]
"""A quantity or unit price with at most six decimal places; a text, as money is."""

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Count: TypeAlias = Annotated[int, Field(ge=0)]
AtLeastOne: TypeAlias = Annotated[int, Field(ge=1)]
Quantity: TypeAlias = Annotated[float, Field(ge=0)]
Name: TypeAlias = Annotated[str, Field(min_length=1)]
Api: TypeAlias = Annotated[str, Field(min_length=3)]
Day: TypeAlias = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"})
]


class Part(BaseModel):
    """An object of the document; it has its own fields and no others."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="forbid",
        frozen=True,
    )
