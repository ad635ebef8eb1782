"""The trace sees what it must: otherwise that nothing was seen would prove nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.airgap.contacts import Contact, contacts
from tests.airgap.sealed import Sealed


def python(sealed: Sealed, code: str, folder: Path) -> list[Contact]:
    return sealed.run(sys.executable, "-c", code, cwd=folder).outside


@pytest.mark.parametrize("address", ["192.0.2.1", "169.254.169.254", "10.0.0.1", "2001:db8::1"])
def test_a_deliberate_connection_is_seen(sealed: Sealed, tmp_path: Path, address: str) -> None:
    code = f"import socket; socket.create_connection(({address!r}, 443), timeout=2)"
    assert Contact(address, 443) in python(sealed, code, tmp_path)


def test_a_deliberate_packet_without_a_connection_is_seen(sealed: Sealed, tmp_path: Path) -> None:
    code = "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 8125))"
    assert Contact("192.0.2.1", 8125) in python(sealed, code, tmp_path)


def test_a_question_to_a_name_server_is_seen(sealed: Sealed, tmp_path: Path) -> None:
    code = "import socket; socket.getaddrinfo('telemetry.example.com', 443)"
    assert [contact for contact in python(sealed, code, tmp_path) if contact.port == 53]


def test_what_a_child_of_a_child_does_is_seen(sealed: Sealed, tmp_path: Path) -> None:
    inner = "import socket; socket.create_connection(('192.0.2.7', 80), timeout=2)"
    command = f'sh -c "{sys.executable} -c \\"{inner}\\" || true"'
    assert Contact("192.0.2.7", 80) in sealed.run("sh", "-c", command, cwd=tmp_path).outside


def test_loopback_is_inside_and_there_is_nothing_else(sealed: Sealed, tmp_path: Path) -> None:
    code = (
        "import socket, threading\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(listener.getsockname())\n"
        "assert [name for _, name in socket.if_nameindex()] == ['lo'], socket.if_nameindex()\n"
    )
    ran = sealed.run(sys.executable, "-c", code, cwd=tmp_path)
    assert ran.code == 0, ran.output
    assert ran.contacts
    assert ran.outside == []


def four(address: str, port: int) -> str:
    where = f'sin_port=htons({port}), sin_addr=inet_addr("{address}")'
    return f"7 connect(3, {{sa_family=AF_INET, {where}}}, 16) = -1 ENETUNREACH"


def six(address: str, port: int) -> str:
    where = f"sin6_port=htons({port}), sin6_flowinfo=htonl(0), "
    where += f'inet_pton(AF_INET6, "{address}", &sin6_addr), sin6_scope_id=0'
    return f"7 connect(3, {{sa_family=AF_INET6, {where}}}, 28) = 0"


@pytest.mark.parametrize(
    ("line", "outside"),
    [
        (four("1.1.1.1", 443), 1),
        (four("127.0.0.1", 80), 0),
        (four("127.0.0.53", 53), 1),
        (six("2606:4700::1111", 443), 1),
        (six("::1", 443), 0),
        (six("::ffff:127.0.0.1", 443), 0),
        (six("::ffff:1.1.1.1", 443), 1),
        ('7 connect(3, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = -1 ENOENT', 0),
    ],
)
def test_lines_of_a_trace_are_read(line: str, outside: int) -> None:
    assert len([contact for contact in contacts(line) if contact.is_outside]) == outside
