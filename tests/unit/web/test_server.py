"""The server answers its own page on the loopback interface, and nobody else."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from breakeven.cli.serve import PortError, explorer_of, serve
from breakeven.web import page
from breakeven.web.server import PageServer
from tests.unit.cost.builders import TODAY


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    with PageServer(explorer_of("dev", TODAY)) as found:
        thread = threading.Thread(target=found.serve_forever, daemon=True)
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def get(
    server: PageServer, path: str, method: str = "GET", **headers: str
) -> tuple[int, http.client.HTTPMessage, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, body


def test_it_listens_on_loopback_alone(server: PageServer) -> None:
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1", "127.0.0.1:1", "[::1]:80", ""])
@pytest.mark.parametrize("path", ["/", "/page.js", "/api/bill"])
def test_another_host_is_refused(server: PageServer, host: str, path: str) -> None:
    """A name that somebody else lets resolve to this machine must not read the answers."""
    status, _, body = get(server, path, Host=host)
    assert status == 421
    assert body == f"this page is at {server.url} alone. Open that address"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_elsewhere_causes_no_work(server: PageServer, site: str) -> None:
    """It could not read the answer, but each question takes a second of a processor."""
    assert get(server, "/api/whole", **{"Sec-Fetch-Site": site})[0] == 404
    assert get(server, "/api/bill", **{"Sec-Fetch-Site": "same-origin"})[0] == 200


def test_a_body_is_not_taken_for_the_next_request(server: PageServer) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=60) as connection:
        host = f"Host: 127.0.0.1:{server.server_port}"
        hidden = f"GET /page.css HTTP/1.1\r\n{host}\r\n\r\n"
        length = f"Content-Length: {len(hidden)}"
        connection.sendall(f"GET / HTTP/1.1\r\n{host}\r\n{length}\r\n\r\n{hidden}".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_localhost_is_the_same_machine(server: PageServer) -> None:
    assert get(server, "/", Host=f"localhost:{server.server_port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(server: PageServer, method: str) -> None:
    assert get(server, "/api/bill", method)[0] == 501


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css", "/api/bill", "/nope", "/../x"])
def test_every_answer_forbids_what_the_page_does_not_need(server: PageServer, path: str) -> None:
    _, headers, _ = get(server, path)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_page_loads_its_own_files_alone_and_has_no_inline_code(server: PageServer) -> None:
    _, _, body = get(server, "/")
    assert set(re.findall(r'(?:src|href)="([^"]*)"', body)) == {
        *("page.css", "page.js", "data:,", "#results")
    }
    assert " style=" not in body
    assert not re.search(r"\son[a-z]+=", body)


def test_a_state_becomes_the_same_stack_file_again(server: PageServer) -> None:
    query = "traffic.tokensPerDay=60M&traffic.burstFactor=2.5&staffing.engineerPercent=35"
    status, _, body = get(server, f"/api/bill?{query}")
    assert status == 200
    text = json.loads(body)["stackFile"]
    for line in ("tokensPerDay: 60000000", "burstFactor: 2.5", "engineerPercent: 35"):
        assert line in text


@pytest.mark.parametrize(
    ("query", "control", "told"),
    [
        ("traffic.burstFactor=50", "traffic.burstFactor", 'found "50". Allowed: a number, 1 to 20'),
        ("replicas.min=x", "replicas.min", "breakeven:replicas.min"),
        ("traffic.tokensPerDay=", "traffic.tokensPerDay", "breakeven:traffic.tokensPerDay"),
        ("api.inUse=nobody/none", "api.inUse", "nobody"),
        ("machine=x1.32xlarge", "machine", "x1.32xlarge"),
    ],
)
def test_a_bad_value_is_reported_at_its_control(
    server: PageServer, query: str, control: str, told: str
) -> None:
    status, _, body = get(server, f"/api/bill?{query}")
    assert status == 422
    problems = {each["control"]: each["message"] for each in json.loads(body)["problems"]}
    assert told in problems[control]


def test_an_unknown_control_is_reported(server: PageServer) -> None:
    status, _, body = get(server, "/api/whole?engine.args=%5B%5D")
    assert status == 422
    assert "unknown: engine.args" in json.loads(body)["mistake"]


def test_text_of_a_query_is_never_markup(server: PageServer) -> None:
    evil = "%3Cscript%3Ealert(1)%3C/script%3E"
    _, headers, body = get(server, f"/api/bill?api.inUse={evil}")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(body)["problems"]
    script = (Path(page.__file__).parent / "page.js").read_text(encoding="utf-8")
    assert script.count("innerHTML") == 1  # of sections, which the template escapes


def test_too_many_fields_are_refused(server: PageServer) -> None:
    assert get(server, "/api/bill?" + "&".join(f"a{n}=1" for n in range(100)))[0] == 400


def test_embedded_data_can_not_end_its_element() -> None:
    text = str(page._embedded({"own": "</script><b>&"}))
    assert "<" not in text
    assert json.loads(unescape(text)) == {"own": "</script><b>&"}


def test_a_port_in_use_is_reported(server: PageServer) -> None:
    with pytest.raises(PortError, match="Allowed: a free port, or 0"):
        serve("dev", port=server.server_port, browser=False)
