"""Each source is read as its documentation describes it, and each fault of it is one message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

import pytest

from breakeven.catalog.importers.listing import Listing, SourceError
from breakeven.price_sources.aws_signature import KEY, SECRET, TOKEN, query_text, signed_headers
from breakeven.price_sources.client import Client, FetchError
from breakeven.price_sources.google import KEY as GOOGLE_KEY
from breakeven.price_sources.registry import SOURCES
from breakeven.price_sources.source import Job
from tests.unit.catalog.importers.builders import SELECTION
from tests.unit.price_sources import answers
from tests.unit.price_sources.conftest import IMPATIENT
from tests.unit.price_sources.provider import Answer, Asked, Provider, Script

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = date(2026, 11, 20)
SECRETS = {
    KEY: "AKIDEXAMPLE",
    SECRET: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    TOKEN: "session-token-that-stays-secret",
    GOOGLE_KEY: "google-key-that-stays-secret",
}

G6E = "node/aws/us-east-1/g6e.xlarge"
NC24 = "node/azure/eastus/Standard_NC24ads_A100_v4"


@dataclass(frozen=True)
class Case:
    """A source, what is asked of it and what it has to give.

    Attributes:
        cloud: Whose prices are asked for.
        region: Where.
        script: Answers as documented.
        prices: USD by identifier.
        day: Of the prices.
        requests: How many requests it takes.
    """

    cloud: str
    region: str
    script: Script
    prices: Mapping[str, str]
    day: date
    requests: int


CASES = {
    "aws": Case(
        "aws",
        "us-east-1",
        answers.aws("us-east-1", "eu-west-1"),
        {f"{G6E}/on-demand": "1.861", f"{G6E}/reserved-1y": "1.1724"},
        date(2026, 11, 3),
        2,
    ),
    "aws-services": Case(
        "aws",
        "us-east-1",
        answers.aws("us-east-1"),
        {
            "load-balancer/aws/us-east-1/nlb": "16.425",
            "volume/aws/us-east-1/efs": "0.3",
            "control-plane/aws/us-east-1/eks": "73",
            "ip/aws/us-east-1/ipv4": "3.65",
        },
        date(2026, 11, 3),
        8,
    ),
    "aws-spot": Case("aws", "us-east-1", answers.spot, {f"{G6E}/spot": "0.95"}, TODAY, 2),
    "azure": Case(
        "azure",
        "eastus",
        answers.azure,
        {
            f"{NC24}/on-demand": "3.673",
            f"{NC24}/spot": "0.67878",
            f"{NC24}/reserved-1y": "2.5",
        },
        TODAY,
        3,
    ),
    "azure-services": Case(
        "azure",
        "eastus",
        answers.azure,
        {"load-balancer/azure/eastus/standard": "18.25"},
        TODAY,
        18,
    ),
    "google": Case(
        "gcp",
        "us-central1",
        answers.google,
        {
            "node/gcp/us-central1/g2-standard-4/on-demand": "0.706824",
            "node/gcp/us-central1/e2-standard-4/on-demand": "0.134012",
        },
        TODAY,
        2,
    ),
    "gpuhunt": Case(
        "lambda",
        "any",
        answers.gpuhunt,
        {"node/lambda/any/gpu_8x_h100_sxm5/on-demand": "31.92"},
        date(2026, 11, 18),
        2,
    ),
}

each_source = pytest.mark.parametrize("name", CASES)


def fetch(name: str, provider: Provider, client: Client) -> Listing:
    case = CASES[name]
    source = next(source for source in SOURCES if source.name == name)
    selection = replace(
        SELECTION, regions=frozenset({(case.cloud, case.region)}), as_of=TODAY, cloud=""
    )
    job = Job(
        cloud=case.cloud,
        regions=(case.region,),
        selection=selection,
        base=provider.url,
        client=client,
        environment=SECRETS,
        now=NOW,
    )
    return source.fetch(job)


def test_every_source_has_a_case() -> None:
    assert set(CASES) == {source.name for source in SOURCES}


@each_source
def test_a_source_is_read_with_all_its_pages(name: str, provider: Provider, client: Client) -> None:
    case = CASES[name]
    provider.script = case.script
    listing = fetch(name, provider, client)
    assert {price.identifier: price.usd for price in listing.prices} == {
        identifier: Decimal(usd) for identifier, usd in case.prices.items()
    }
    assert {price.as_of for price in listing.prices} == {case.day}
    assert len(provider.asked) == case.requests


@each_source
@pytest.mark.parametrize(
    "fault",
    [
        Answer(status=429, headers={"Retry-After": "3"}),
        Answer(status=500),
        Answer(status=503),
        Answer(b"half", missing=4),
    ],
    ids=["throttled", "error 500", "error 503", "cut off"],
)
def test_a_fault_that_passes_changes_nothing(
    name: str, fault: Answer, provider: Provider, client: Client
) -> None:
    provider.script = CASES[name].script
    expected = fetch(name, provider, client)
    provider.faults = [fault]
    assert fetch(name, provider, client) == expected


WRONG = {
    "error 400": (Answer(b"<Error>why</Error>", status=400), "returned 400"),
    "error 401": (Answer(status=401), "returned 401"),
    "error 403": (Answer(status=403), "returned 403"),
    "error 404": (Answer(status=404), "returned 404"),
    "throttled": (Answer(status=429), "returned 429"),
    "throttled for long": (
        Answer(status=429, headers={"Retry-After": "999"}),
        "retry after 999 s",
    ),
    "error 500": (Answer(status=500), "returned 500"),
    "error 503": (Answer(status=503), "returned 503"),
    "cut off": (Answer(b'{"Items": [', missing=9), "was closed early"),
    "too large": (Answer(b" " * ((1 << 20) + 1)), "larger than 1 MiB"),
    "redirect to HTTP": (
        Answer(status=302, headers={"Location": "http://example.com/"}),
        "redirects",
    ),
    "empty": (Answer(b""), ""),
    "a login page": (Answer(b"<!DOCTYPE html><html><body>Sign in</body></html>"), ""),
    "other JSON": (Answer(b'{"message": "hello"}'), ""),
    "a list": (Answer(b"[1, 2]"), ""),
    "JSON without end": (Answer(b'{"Items": [{"retailPrice": 1'), ""),
    "deep JSON": (Answer(b"[" * 100_000), ""),
    "other bytes": (Answer(bytes(range(256))), ""),
}


@each_source
@pytest.mark.parametrize("fault", WRONG)
def test_a_fault_that_stays_is_one_message_without_a_secret(
    name: str, fault: str, provider: Provider, client: Client
) -> None:
    answer, part = WRONG[fault]
    provider.script = lambda _: answer
    with pytest.raises(FetchError) as caught:
        fetch(name, provider, client)
    message = str(caught.value)
    assert provider.url in message
    assert part in message
    assert not [secret for secret in SECRETS.values() if secret in message]


@each_source
@pytest.mark.parametrize("limits", [IMPATIENT])
@pytest.mark.parametrize(
    ("answer", "part"),
    [
        (Answer(b"late", silent=30), "no response within"),
        (Answer(b" " * 40, trickle=0.1), "incomplete after"),
    ],
    ids=["silent", "slow"],
)
def test_a_server_that_does_not_get_on_is_left(
    name: str, answer: Answer, part: str, provider: Provider, client: Client
) -> None:
    provider.script = lambda _: answer
    with pytest.raises(FetchError, match=part):
        fetch(name, provider, client)


@each_source
def test_a_fault_on_the_last_request_gives_no_part_of_the_prices(
    name: str, provider: Provider, client: Client
) -> None:
    case = CASES[name]

    def script(asked: Asked) -> Answer:
        last = len(provider.asked) >= case.requests
        return Answer(b'{"half', missing=9) if last else case.script(asked)

    provider.script = script
    with pytest.raises(FetchError, match="was closed early"):
        fetch(name, provider, client)


@each_source
def test_a_price_that_is_not_an_amount_is_refused_with_its_place(
    name: str, provider: Provider, client: Client
) -> None:
    changes = {
        "aws": (b"1.8610000000", b"free"),
        "aws-services": (b'"0.0225"', b'"free"'),
        "aws-spot": (b"<spotPrice>0.91<", b"<spotPrice>-1<"),
        "azure": (b"3.673", b'"free"'),
        "azure-services": (b"0.025", b'"free"'),
        "google": (b'"nanos": 24988000', b'"nanos": "free"'),
    }

    def script(asked: Asked) -> Answer:
        answer = CASES[name].script(asked)
        if name == "gpuhunt":
            text = answers.CATALOGS["lambdalabs"].replace("31.92", "free")
            zipped = answers.packed("lambdalabs.csv", text)
            return replace(answer, body=zipped) if answer.body[:2] == b"PK" else answer
        return replace(answer, body=answer.body.replace(*changes[name]))

    provider.script = script
    with pytest.raises(SourceError, match=r"free|-1"):
        fetch(name, provider, client)


def pages(script: Script, old: bytes, new: bytes, asked: Asked) -> Answer:
    answer = script(asked)
    return replace(answer, body=answer.body.replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("azure", b"/api/retail/prices?", b"/api/retail/prices#"),
        ("google", b'"nextPageToken": ""', b'"nextPageToken": "AB+c=="'),
        ("google", b'"nextPageToken": "AB+c=="', b'"nextPageToken": 7'),
        ("azure", b'"NextPageLink": "https', b'"NextPageLink": "http://[", "x": "'),
    ],
)
def test_pages_that_lead_nowhere_or_in_a_circle_end(
    name: str, old: bytes, new: bytes, provider: Provider, client: Client
) -> None:
    provider.script = partial(pages, CASES[name].script, old, new)
    with pytest.raises(FetchError, match=r"does not lead to another page|more than"):
        fetch(name, provider, client)


def test_an_azure_link_is_followed_at_the_address_that_was_asked(
    provider: Provider, client: Client
) -> None:
    provider.script = answers.azure
    fetch("azure", provider, client)
    first, second, _ = provider.asked
    assert first.query["$filter"] == second.query["$filter"]
    assert "armRegionName eq 'eastus'" in first.query["$filter"]
    assert second.query["$skip"] == "1"


def test_the_google_key_is_in_no_address(provider: Provider, client: Client) -> None:
    provider.script = answers.google
    fetch("google", provider, client)
    assert {asked.headers["x-goog-api-key"] for asked in provider.asked} == {SECRETS[GOOGLE_KEY]}
    assert not [asked for asked in provider.asked if "key" in asked.query]


def test_a_region_that_aws_does_not_have_is_named(provider: Provider, client: Client) -> None:
    provider.script = answers.aws("eu-west-1")
    with pytest.raises(FetchError, match="no region us-east-1"):
        fetch("aws", provider, client)


@pytest.mark.parametrize("version", ["20261332-1", "latest", "../../x", "20261118-42/../.."])
def test_a_version_that_is_not_one_is_refused_before_it_becomes_an_address(
    version: str, provider: Provider, client: Client
) -> None:
    provider.script = lambda _: Answer(version.encode())
    with pytest.raises(FetchError, match="not a version"):
        fetch("gpuhunt", provider, client)
    assert len(provider.asked) == 1


@pytest.mark.parametrize("body", [b"PK", answers.packed("aws.csv", "x"), b""])
def test_what_is_not_the_zip_file_of_the_cloud_is_refused(
    body: bytes, provider: Provider, client: Client
) -> None:
    provider.script = lambda asked: (
        Answer(b"20261118-42") if asked.path.endswith("version") else Answer(body)
    )
    with pytest.raises(FetchError, match=r"lambdalabs\.csv"):
        fetch("gpuhunt", provider, client)


def test_an_answer_that_declares_entities_is_refused(provider: Provider, client: Client) -> None:
    laughs = b'<!DOCTYPE a [<!ENTITY b "ha">]><DescribeSpotPriceHistoryResponse/>'
    provider.script = lambda _: Answer(laughs)
    with pytest.raises(FetchError, match="not a DescribeSpotPriceHistoryResponse"):
        fetch("aws-spot", provider, client)


def test_a_spot_request_is_signed_for_its_region_and_asks_for_the_known_machines(
    provider: Provider, client: Client
) -> None:
    provider.script = answers.spot
    fetch("aws-spot", provider, client)
    for asked in provider.asked:
        expected = signed_headers(
            f"{provider.url}/", asked.query, SECRETS, region="us-east-1", service="ec2", now=NOW
        )
        assert asked.headers["authorization"] == expected["authorization"]
        assert asked.query["StartTime"] == "2026-11-20T11:00:00Z"
        assert {"g6e.xlarge", "p5.48xlarge"} <= set(asked.query.values())


def test_a_signature_is_that_of_the_published_example() -> None:
    """The example of "Signature Version 4 signing process" in the AWS General Reference."""
    headers = signed_headers(
        "https://iam.amazonaws.com/",
        {"Action": "ListUsers", "Version": "2010-05-08"},
        {KEY: SECRETS[KEY], SECRET: SECRETS[SECRET]},
        region="us-east-1",
        service="iam",
        now=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
        headers={"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
    )
    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date, "
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


def test_a_signed_query_is_sorted_and_encoded_as_aws_asks() -> None:
    assert query_text({"b": "a b+c/=~", "a": "1"}) == "a=1&b=a%20b%2Bc%2F%3D~"
