"""Reads endpoints from the command line: addresses, models, keys and prices."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from breakeven.addresses import outside_addresses
from breakeven.catalog.apis.comparison import compared_price
from breakeven.catalog.apis.prices import UnknownApiModelError, token_rates
from breakeven.catalog.apis.terms import NO_TERMS, Request
from breakeven.errors import UserError
from breakeven.evaluation.record import OWN, TokenPrice
from breakeven.evaluation.run import Endpoint
from breakeven.planning.apis import terms_of
from breakeven.planning.offline import LoadedStack
from breakeven.planning.own_evaluation import own_model

JUDGE = "judge"
"""Name of the judge in options."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class EvaluateError(UserError):
    """Nothing was evaluated, or the results cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The options, each as NAME=VALUE."""

    endpoints: Sequence[str]
    judge: str | None
    models: Sequence[str]
    keys: Sequence[str]
    prices: Sequence[str]
    answers_as: Sequence[str]


def endpoints_of(
    loaded: LoadedStack, stated: Stated, today: date
) -> tuple[tuple[Endpoint, ...], Endpoint | None]:
    """Returns the endpoints, and the judge.

    Args:
        loaded: The stack.
        stated: The options.
        today: Day on which prices are looked up.

    Raises:
        EvaluateError: An option is invalid; all errors are named.
    """
    reader = _Reader(loaded, stated, today)
    endpoints = tuple(reader.endpoint(name, url) for name, url in reader.addresses if name)
    judge = None
    if stated.judge is not None:
        reference, url = reader.parted("--judge", stated.judge)
        judge = reader.endpoint(JUDGE, url, reference) if reference else None
    reader.check_names()
    if not stated.endpoints:
        reader.mistakes.append(
            "--endpoint is missing. Allowed: own=URL for the stack's replica, and "
            "PROVIDER/MODEL=URL for an API"
        )
    if reader.mistakes:
        raise EvaluateError("\n".join(["no request was sent.", *map(_listed, reader.mistakes)]))
    return endpoints, judge


def _listed(mistake: str) -> str:
    return f"  {mistake}"


class _Reader:
    """Reads options, and collects their errors."""

    def __init__(self, loaded: LoadedStack, stated: Stated, today: date) -> None:
        self.loaded = loaded
        self.today = today
        self.mistakes: list[str] = []
        self.addresses = [self.parted("--endpoint", each) for each in stated.endpoints]
        self.models = self._by_name("--model", stated.models)
        self.keys = self._by_name("--api-key", stated.keys)
        self.prices = self._by_name("--price", stated.prices)
        self.others = self._by_name("--answers-as", stated.answers_as)
        names = [name for name, _ in self.addresses if name]
        self.known = {*names, *([JUDGE] if stated.judge is not None else [])}
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.mistakes.append(
                f"--endpoint {name} is given twice. Allowed: one address for each endpoint"
            )

    def parted(self, option: str, text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            # A key may have been pasted here: it is not repeated.
            self.mistakes.append(
                f"{option}: found no NAME=VALUE. Allowed: NAME=VALUE, such as own=VALUE"
            )
            return "", ""
        return name, value

    def _by_name(self, option: str, texts: Sequence[str]) -> Mapping[str, str]:
        return dict(self.parted(option, text) for text in texts)

    def check_names(self) -> None:
        for option, named in (
            ("--model", self.models),
            ("--api-key", self.keys),
            ("--price", self.prices),
            ("--answers-as", self.others),
        ):
            for name in named:
                if name and name not in self.known:
                    allowed = ", ".join(sorted(self.known)) or "the name of an endpoint"
                    self.mistakes.append(f"{option} {name}: unknown endpoint. Allowed: {allowed}")

    def endpoint(self, name: str, url: str, reference: str = "") -> Endpoint:
        settings = self.loaded.settings
        reference = reference or name
        model = reference.partition("/")[2] or settings.model.facts.name
        return Endpoint(
            name=name,
            address=self._address(name, url),
            model=self.models.get(name, model),
            answers_as=(self.others[name],) if name in self.others else (),
            key=self._key(name),
            price=self._price(name, reference),
            identity=str(own_model(settings)) if name == OWN else "",
        )

    def _address(self, name: str, url: str) -> str:
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and not parts.query
            _ = parts.port
        except ValueError:
            usable = ""
        if not usable:
            self.mistakes.append(
                f"the address of {name} is invalid. Allowed: an http or https URL, such as "
                "http://localhost:8000"
            )
            return ""
        if parts.username or parts.password:
            self.mistakes.append(
                f"the address of {name} contains a user or password. Put the key into an "
                f"environment variable, and name the variable: --api-key {name}=VARIABLE"
            )
            return ""
        network = self.loaded.settings.network
        if not network.data_may_leave and any(outside_addresses(url, ())):
            self.mistakes.append(
                f"{parts.hostname} is outside your network, and prompts may not leave it "
                "(network.dataMayLeave: false). Allowed: addresses in your own network"
            )
        return url.rstrip("/") + ("" if parts.path.strip("/") else "/v1")

    def _key(self, name: str) -> str:
        variable = self.keys.get(name, "")
        if not variable:
            return ""
        if not _VARIABLE.fullmatch(variable):
            # It may be the key itself: it is not repeated.
            self.mistakes.append(
                f"--api-key {name}: not the name of an environment variable. Allowed: letters, "
                "digits and underscores. Never put the key itself on the command line"
            )
            return ""
        key = os.environ.get(variable, "").strip()
        if not key:
            self.mistakes.append(
                f"--api-key {name}: the environment variable {variable} is empty. Set it, then try "
                "again"
            )
        return key

    def _price(self, name: str, reference: str) -> TokenPrice | None:
        if name in self.prices:
            return self._stated_price(name)
        if reference == OWN:
            return None
        settings, load = self.loaded.settings, self.loaded.assumptions.load
        terms = settings.api.terms.get(reference)
        request = Request(
            input_tokens=load.input_tokens,
            cached_input_tokens=0,
            output_tokens=load.output_tokens,
            longest=settings.model.max_length,
        )
        try:
            price = compared_price(
                reference, request, self.today, NO_TERMS if terms is None else terms_of(terms)
            )
            rates = price.rates or token_rates(
                price.reference,
                input_tokens=load.input_tokens,
                output_tokens=load.output_tokens,
                on=datetime(self.today.year, self.today.month, self.today.day, tzinfo=UTC),
            )
        except UnknownApiModelError as error:
            near = f" Did you mean {' or '.join(error.near)}?" if error.near else ""
            self.mistakes.append(
                f"{reference}: the price per token is unknown, so the cost cannot be "
                f"limited.{near} Set it with --price {name}=INPUT/OUTPUT in USD per 1M tokens; "
                "0/0 if it is free"
            )
            return None
        return TokenPrice(
            input=rates.input, output=rates.output, source=price.source, as_of=price.as_of
        )

    def _stated_price(self, name: str) -> TokenPrice | None:
        first, _, second = self.prices[name].partition("/")
        try:
            amounts = (Decimal(first), Decimal(second))
        except InvalidOperation:
            amounts = (Decimal("NaN"), Decimal("NaN"))
        if not all(amount.is_finite() and 0 <= amount <= 100_000 for amount in amounts):  # noqa: PLR2004  # the limit of api.terms
            self.mistakes.append(
                f"--price {name}: not INPUT/OUTPUT. Allowed: USD per 1M tokens from 0 to "
                "100,000, such as 0.15/0.60"
            )
            return None
        return TokenPrice(input=amounts[0], output=amounts[1], source="stated", as_of=self.today)
