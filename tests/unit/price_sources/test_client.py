"""What is fetched is whole, bounded and from where it was asked for."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO

import pytest

from breakeven.price_sources.client import Client, FetchError, checked_base, shown
from tests.unit.price_sources.conftest import IMPATIENT
from tests.unit.price_sources.provider import Answer, Provider


def test_a_body_is_fetched_whole_also_where_it_was_compressed(
    provider: Provider, client: Client
) -> None:
    body = b"price," * 1000
    provider.script = lambda _: Answer(gzip.compress(body), headers={"Content-Encoding": "gzip"})
    assert client.body(f"{provider.url}/a") == body


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_fault_that_may_pass_is_tried_again_with_growing_pauses(
    provider: Provider, client: Client, waited: list[float], status: int
) -> None:
    provider.script = lambda _: Answer(b"ok")
    provider.faults = [Answer(status=status)] * 3
    assert client.body(provider.url) == b"ok"
    assert waited == [1, 2, 4]
    provider.faults = [Answer(status=status)] * 4
    with pytest.raises(FetchError, match=f"returned {status} .*; tried 4 times"):
        client.body(provider.url)


def test_a_pause_that_the_server_asks_for_is_kept(
    provider: Provider, client: Client, waited: list[float]
) -> None:
    at = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=30))
    provider.script = lambda _: Answer(b"ok")
    provider.faults = [
        Answer(status=429, headers={"Retry-After": "7"}),
        Answer(status=503, headers={"Retry-After": at}),
        Answer(status=429, headers={"Retry-After": "soon"}),
    ]
    assert client.body(provider.url) == b"ok"
    assert waited[0] == 7
    assert 25 < waited[1] <= 30
    assert waited[2] == 4


def test_a_server_that_asks_for_a_long_pause_is_not_waited_for(
    provider: Provider, client: Client, waited: list[float]
) -> None:
    provider.faults = [Answer(status=429, headers={"Retry-After": "3600"})]
    with pytest.raises(FetchError, match=r"retry after 3600 s; try later"):
        client.body(provider.url)
    assert not waited
    assert len(provider.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 304, 204])
def test_any_other_answer_is_final(provider: Provider, client: Client, status: int) -> None:
    provider.script = lambda _: Answer(status=status)
    with pytest.raises(FetchError, match=f"returned {status}"):
        client.body(provider.url)
    assert len(provider.asked) == 1


def test_nothing_of_a_body_that_was_cut_off_is_kept(provider: Provider, client: Client) -> None:
    provider.script = lambda _: Answer(b"half", missing=4)
    sink = BytesIO()
    with pytest.raises(FetchError, match="was closed early"):
        client.download(provider.url, sink)
    assert sink.getvalue() == b""
    assert len(provider.asked) == 4


def test_a_second_attempt_starts_the_body_again(provider: Provider, client: Client) -> None:
    provider.script = lambda _: Answer(b"whole")
    provider.faults = [Answer(b"half of it", missing=4)]
    assert client.body(provider.url) == b"whole"


@pytest.mark.parametrize("limits", [IMPATIENT])
def test_a_silent_server_is_left(provider: Provider, client: Client) -> None:
    provider.script = lambda _: Answer(b"late", silent=30)
    with pytest.raises(FetchError, match=r"no response within 0\.3 s; tried 4 times"):
        client.body(provider.url)


@pytest.mark.parametrize("limits", [IMPATIENT])
def test_a_body_that_only_trickles_is_left_at_the_end_of_its_time(
    provider: Provider, client: Client
) -> None:
    provider.script = lambda _: Answer(b"x" * 40, trickle=0.1)
    with pytest.raises(FetchError, match=r"incomplete after 0\.6 s"):
        client.body(provider.url)


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_larger_than_allowed_is_refused_also_where_it_unpacks_to_that(
    provider: Provider, client: Client, packed: bool
) -> None:
    body = b"x" * ((1 << 20) + 1)
    answer = Answer(gzip.compress(body), headers={"Content-Encoding": "gzip"})
    provider.script = lambda _: answer if packed else Answer(body)
    with pytest.raises(FetchError, match="larger than 1 MiB"):
        client.body(provider.url)


def test_a_redirect_is_followed_but_not_with_credentials(
    provider: Provider, client: Client
) -> None:
    provider.script = lambda asked: (
        Answer(b"there") if asked.path == "/b" else Answer(status=302, headers={"Location": "/b"})
    )
    assert client.body(f"{provider.url}/a") == b"there"
    with pytest.raises(FetchError, match="credentials are not sent"):
        client.body(f"{provider.url}/a", {"x-goog-api-key": "key"})
    assert all("x-goog-api-key" not in asked.headers for asked in provider.asked[:-1])


@pytest.mark.parametrize("target", ["http://example.com/", "ftp://127.0.0.1/", "http://[", "/a"])
def test_a_redirect_that_leaves_https_or_does_not_end_is_refused(
    provider: Provider, client: Client, target: str
) -> None:
    provider.script = lambda _: Answer(status=302, headers={"Location": target})
    with pytest.raises(FetchError, match=r"not HTTPS|more than 5 redirects"):
        client.body(f"{provider.url}/a")


def test_a_closed_port_is_named_with_the_way_out(client: Client) -> None:
    with pytest.raises(FetchError, match=r"cannot connect .*Check network and proxy"):
        client.body("http://127.0.0.1:9/")


@pytest.mark.parametrize(
    "url", ["https://example.com/prices/", "http://127.0.0.1:8080/", "http://[::1]/"]
)
def test_https_or_this_machine_is_allowed_as_the_address_of_a_source(url: str) -> None:
    assert checked_base(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://10.0.0.1/",
        "http://127.0.0.1.example.com/",
        "file:///etc/passwd",
        "https://user:secret@example.com/",
        "https://example.com/?key=secret",
        "https://",
        "http://[",
        "",
    ],
)
def test_any_other_address_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(FetchError, match="Allowed: https://HOST/PATH") as caught:
        checked_base(url)
    assert "secret" not in str(caught.value)


def test_a_shown_address_has_no_query_and_no_user() -> None:
    assert shown("https://u:p@example.com/a?key=secret#x") == "https://example.com/a"
