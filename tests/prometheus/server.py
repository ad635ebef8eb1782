"""A real Prometheus over recorded series, for tests that ask what an expression returns."""

from __future__ import annotations

import json
import math
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bootstrap.programs import PROMETHEUS
from tests.prometheus.promtool import path_of, promtool

_START_SECONDS = 120


@dataclass(frozen=True)
class Series:
    """One series: its labels, and its value at the number of minutes since the recording's start.

    Attributes:
        name: The metric.
        labels: All labels but the name.
        per_minute: What it grows by; 0 for a gauge.
        value: What it is at the first minute.
        first: Minute of the first sample.
        last: Minute of the last.
    """

    name: str
    labels: Mapping[str, str]
    value: float
    per_minute: float
    first: int
    last: int

    def lines(self, start: int) -> Iterator[str]:
        labels = ",".join(f"{name}={json.dumps(text)}" for name, text in self.labels.items())
        for minute in range(self.first, self.last + 1):
            value = self.value + self.per_minute * (minute - self.first)
            yield f"{self.name}{{{labels}}} {value} {start + 60 * minute}"


@dataclass(frozen=True)
class Selector:
    """A metric in an expression, as Prometheus parsed it."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]

    @property
    def text(self) -> str:
        inner = ",".join(f"{name}{kind}{json.dumps(value)}" for name, kind, value in self.matchers)
        return f"{{{inner}}}"

    @property
    def equal(self) -> dict[str, str]:
        return {
            name: value for name, kind, value in self.matchers if kind == "=" and name != "__name__"
        }


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    address: str

    def query(self, expression: str, at: int) -> list[float]:
        """Returns the values of an instant query; fails where Prometheus reports an error."""
        data = self._get("query", query=expression, time=str(at))
        assert not data.get("warnings"), f"{expression}: {data['warnings']}"
        result = data["data"]["result"]
        if data["data"]["resultType"] == "scalar":
            return [float(result[1])]
        return [float(sample["value"][1]) for sample in result]

    def selectors(self, expression: str) -> list[Selector]:
        """Returns the metrics that an expression asks for."""
        return list(_selectors(self._get("parse_query", query=expression)["data"]))

    def _get(self, path: str, **arguments: str) -> Any:
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # on loopback
                return json.load(answer)
        except urllib.error.HTTPError as error:
            pytest.fail(f"{arguments}: {error.read().decode()}", pytrace=False)


@contextmanager
def prometheus(folder: Path, series: Sequence[Series], start: int) -> Iterator[Prometheus]:
    """Runs a Prometheus that holds these series and scrapes nothing.

    Args:
        folder: An empty folder.
        series: What was recorded.
        start: When the recording starts, in seconds since 1970.
    """
    recording = folder / "recording.txt"
    names = sorted({item.name for item in series})
    text: list[str] = []
    for name in names:
        text += (line for item in series if item.name == name for line in item.lines(start))
    recording.write_text("\n".join([*text, "# EOF", ""]), encoding="utf-8")
    data = folder / "data"
    if series:
        promtool("tsdb", "create-blocks-from", "openmetrics", str(recording), str(data))
    (folder / "prometheus.yml").write_text("{}\n", encoding="utf-8")
    port = _free_port()
    command = [
        path_of(PROMETHEUS),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (
        (folder / "output.log").open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output, cwd=folder) as server,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/-/ready", server, folder / "output.log")
            yield Prometheus(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()


def finite(values: Sequence[float]) -> bool:
    """Whether there is a value, and each is a number."""
    return bool(values) and all(math.isfinite(value) for value in values)


def _selectors(node: Any) -> Iterator[Selector]:
    if isinstance(node, Mapping):
        if node.get("type") in {"vectorSelector", "matrixSelector"}:
            matchers = tuple((m["name"], m["type"], m["value"]) for m in node["matchers"])
            yield Selector(node["name"], matchers)
        for value in node.values():
            yield from _selectors(value)
    elif isinstance(node, list):
        for item in node:
            yield from _selectors(item)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        assert server.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  # on loopback
                return
        except OSError:
            time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
