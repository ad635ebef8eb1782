"""Answers of `init`, `prices`, `model`, `traffic`, and `bundle log`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from breakeven.cli.documents.base import Document, StackName
from breakeven.reports.document.values import Count, Day, Name, NumberAsText, Part, Quantity


class InitDocument(Document):
    """A new stack file: `breakeven init`."""

    stack: StackName
    file: Name = Field(description="The file that was written.")
    settings: Mapping[str, Any] = Field(description="What it states, by group.")


class MissingPart(Part):
    """One thing that was looked for on this machine."""

    what: Name = Field(description="Its name.")
    purpose: Name = Field(description="What needs it.")
    state: Literal["ok", "missing", "optional"] = Field(
        description="missing: a preview needs it; optional: only its purpose does."
    )
    found: str = Field(description="What is there.")
    command: str = Field(description="What gets it; empty where nothing is missing.")


class DoctorDocument(Document):
    """What is missing on this machine: `breakeven doctor`.

    It is written by tools/bootstrap, which runs where this package is not installed yet.
    """

    ready: bool = Field(description="Whether a preview can run.")
    findings: Sequence[MissingPart] = Field(description="What was looked for.")


class PricePart(Part):
    """A price of the price book."""

    identifier: Name = Field(description="Of the price.")
    usd: NumberAsText | None = Field(description="For one unit; null where it is private.")
    unit: Name = Field(description="Its unit.")
    source: Name = Field(description="Where it is from.")
    as_of: Day = Field(description="Its day.")
    private: bool = Field(description="Whether it is the user's own, which is not shown.")


class PricesDocument(Document):
    """Prices of the price book: `breakeven prices list`."""

    prices: Sequence[PricePart] = Field(description="Those that were asked for, by identifier.")


class SourcePart(Part):
    """How old the prices of a source are."""

    source: Name = Field(description="The source.")
    count: Count = Field(description="Prices from it.")
    oldest: Day = Field(description="Oldest day.")
    newest: Day = Field(description="Newest day.")
    age_days: int = Field(description="Age of the oldest, in days.")


class StalePart(Part):
    """A price that a stack should not rely on."""

    stack: Name = Field(description="Which stack uses it.")
    price: Name = Field(description="Its identifier.")
    as_of: Day | None = Field(description="Its day; null where it is missing.")
    reason: Name = Field(description="What is wrong with it.")


class PricesCheckDocument(Document):
    """Whether prices are current: `breakeven prices check`."""

    today: Day = Field(description="Day of the check.")
    max_age_days: Count = Field(description="From which age on a price is stale.")
    sources: Sequence[SourcePart] = Field(description="By source.")
    findings: Sequence[StalePart] = Field(description="What is missing or stale.")
    apis: Mapping[str, Sequence[str]] = Field(description="What speaks against APIs in use.")


class PresetPart(Part):
    """A preset of a model."""

    name: Name = Field(description="Of the preset.")
    family: Name = Field(description="Models of one publisher that share a name.")
    repository: Name = Field(description="Of the weights.")
    parameters: Name = Field(description="In 10^9, with the active ones if they are fewer.")
    precision: Name = Field(description="Of the weights as stored.")
    weight_gigabytes: str = Field(description="Of the weights as stored, in 10^9 bytes.")
    longest_request: Count = Field(description="In tokens.")
    tool_call_parser: str = Field(description="That vLLM needs; empty if no recipe names one.")
    reasoning_parser: str = Field(description="Likewise.")
    minimum_version: str = Field(description="Oldest vLLM; empty without a recipe.")
    offers: Count = Field(description="API offers of the same model that are known.")
    revision: str = Field(description="Commit of the weights; empty if no source states one.")
    missing: Sequence[str] = Field(description="What is unknown about it.")


class ModelListDocument(Document):
    """Presets of models: `breakeven model list`."""

    models: Sequence[PresetPart] = Field(description="Those that were asked for.")


class ModelDocument(Document):
    """What a model needs: `breakeven model inspect`."""

    model: Mapping[str, Any] = Field(description="What its config.json says, by name.")
    weights_gib: Mapping[str, Quantity] = Field(description="Weights in GiB, by precision.")
    key_value_bytes_per_token: Count = Field(description="Cache of one token.")
    state_bytes_per_request: Count = Field(description="State of a request, whatever its length.")
    longest_request_gib: Quantity = Field(description="Cache of the longest request, in GiB.")
    gpu_memory_utilization: Quantity = Field(description="Share of a GPU's memory that is used.")
    gpus_needed: Mapping[str, Mapping[str, int | None]] = Field(
        description="GPUs of a replica, by GPU and precision; null where it does not fit."
    )


class TokensPart(Part):
    """Tokens of a request."""

    p99: Count | None = Field(description="99th percentile; null without single requests.")
    longest: Count | None = Field(description="Of the longest; null without single requests.")


class UsePart(Part):
    """Use of one model."""

    requests: Count = Field(description="Requests.")
    input_tokens: Count = Field(description="Their input.")
    output_tokens: Count = Field(description="Their output.")


class SpendPart(Part):
    """What the log says was paid."""

    usd: NumberAsText = Field(description="In the time of the log.")
    usd_per_month: NumberAsText = Field(description="The same, monthly.")
    list_usd: NumberAsText | None = Field(description="At list prices; null where none is known.")
    without_list_price: Sequence[str] = Field(description="Models without a list price.")


class BadRows(Part):
    """Rows that could not be read, for one reason."""

    count: Count = Field(description="How many.")
    first: Sequence[Any] = Field(description="Where the first ones are.")


class RowsPart(Part):
    """Rows of the log."""

    read: Count = Field(description="That were read.")
    bad: Mapping[str, BadRows] = Field(description="That could not be, by reason.")
    left_out: Mapping[str, Any] = Field(description="That do not count, by reason.")


class TrafficDocument(Document):
    """Traffic of a log, as settings: `breakeven traffic import`."""

    sources: Sequence[str] = Field(description="Files that were read.")
    start: str | None = Field(description="Begin of their time, ISO 8601.")
    end: str | None = Field(description="End of their time, ISO 8601.")
    days: Quantity = Field(description="How long that is.")
    requests: Quantity = Field(description="Requests.")
    input_tokens: Count = Field(description="Their input.")
    output_tokens: Count = Field(description="Their output.")
    request_tokens: TokensPart = Field(description="How long requests are.")
    models: Mapping[str, UsePart] = Field(description="By model.")
    spend: SpendPart | None = Field(description="What was paid; null where the log does not say.")
    rows: RowsPart = Field(description="What was read.")
    settings: Mapping[str, Any] = Field(description="That fit the log, by key.")
    notes: Sequence[str] = Field(description="What a reader has to know.")
    written: Sequence[str] = Field(description="Files that were written.")


class TrafficPresetDocument(Document):
    """A documented preset of traffic: `breakeven traffic preset`."""

    settings: Mapping[str, Any] = Field(description="By key.")
    sources: Mapping[str, str] = Field(description="Sources of the figures.")


class LogPart(Part):
    """One line of the log."""

    sequence: int = Field(ge=1, description="From 1, without gaps.")
    previous: Name = Field(description="SHA-256 of the line before, or zeros.")
    time: Name = Field(description="UTC, ISO 8601.")
    user: str = Field(description="Of the operating system.")
    host: str = Field(description="Name of the machine.")
    action: Name = Field(description="What was done.")
    subject: str = Field(description="On what.")
    digest: str = Field(description="SHA-256 of lock, bundle or key.")
    details: Mapping[str, str] = Field(description="What else matters.")


class BundleLogDocument(Document):
    """Who did what with which bundle: `breakeven bundle log show`."""

    entries: Sequence[LogPart] = Field(description="Oldest first; the chain was checked.")
