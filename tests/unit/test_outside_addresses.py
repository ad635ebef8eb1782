"""Addresses outside the boundary are found however they are written."""

from __future__ import annotations

from breakeven.addresses import outside_addresses, outside_hosts
from tests.each import each


@each(
    "text",
    (
        "http://evil.com/",
        "http:/evil.com/",
        "http:///evil.com/",
        "http:\\\\evil.com/",
        "http:\\/\\/evil.com/",
        "//evil.com/x",
        "http://gateway.llm.svc:80@evil.com/",
        "http://gateway.llm.svc:80@[2001:db8::1]:443/",
        "http://134744072/",
        "http://0x08080808/",
        "http://010.010.010.010/",
        "http://[::ffff:8.8.8.8]/",
        "http://[64:ff9b::808:808]:80/",
        "http://\uff18.8.8.8/",
        "http://ev\u200bil.com",
    ),
)
def test_an_address_outside_is_found(text: str) -> None:
    assert list(outside_addresses(text, ()))


@each(
    "text",
    (
        "file:/weights",
        "http:/weights",
        "a//b",
        '"^//[^/]*"',
        "http://0.0.0.0:8000",
        "http://gateway:8000/x",
        "http://user:word@10.0.0.1:80/",
        "http://[fd00::1]:80/",
        "http://a.llm.svc.cluster.local). And",
    ),
)
def test_an_address_inside_is_not(text: str) -> None:
    assert list(outside_addresses(text, ())) == []


@each("text", ("8.8.8.8", "--x=8.8.8.8:443", "[2001:db8::1]:443", "evil.com/"))
def test_a_host_outside_needs_no_scheme(text: str) -> None:
    assert list(outside_hosts(text, (), ()))


@each("text", ("0.0.0.0:80", "10.0.0.1:80", "8.8.8.8/24", "v1.2.3.4", "1.2.3.4-rc", "[::1]:80"))
def test_a_host_inside_and_a_version_are_none(text: str) -> None:
    assert list(outside_hosts(text, (), ())) == []
