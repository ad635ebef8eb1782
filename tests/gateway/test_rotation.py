"""A team's key is rotated while it is in use: two are valid, then the old one is withdrawn."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.gateway.asking import A, assert_complete, eventually
from tests.gateway.running import TEAMS, Cluster
from tests.gateway.stand_in import Faults

OLD = {team: f"sk-{team}" for team in TEAMS}


class Mounted:
    """A Secret as the kubelet mounts it: links to a folder that a rename replaces as a whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for file in folder.iterdir():
            file.unlink()
        self.revision = 0

    def put(self, entries: Mapping[str, str]) -> None:
        """Replaces all entries; links to new ones come afterwards, as in the kubelet."""
        self.revision += 1
        inside = self.folder / f"..{self.revision}"
        inside.mkdir()
        for name, text in entries.items():
            (inside / name).write_text(text)
        link = self.folder / "..data_tmp"
        link.symlink_to(inside.name)
        link.replace(self.folder / "..data")
        for name in entries:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        for file in self.folder.iterdir():
            if not file.name.startswith("..") and file.name not in entries:
                file.unlink()

    def end(self) -> None:
        """Leaves plain files, as other tests have them."""
        for file in self.folder.iterdir():
            if file.is_symlink():
                file.unlink()
            else:
                shutil.rmtree(file)
        for name, text in OLD.items():
            (self.folder / name).write_text(text)


@pytest.fixture
def mounted(serving: Cluster) -> Iterator[Mounted]:
    found = Mounted(serving.folder / "keys")
    found.put(OLD)
    yield found
    found.end()
    eventually(lambda: status(serving, OLD["product"]) == 200)


def status(cluster: Cluster, key: str) -> int:
    """What the list of models answers to a key."""
    return cluster.call("GET", "/v1/models", key=key).status


def test_two_keys_of_a_team_are_valid_until_the_old_one_is_withdrawn(
    serving: Cluster, mounted: Mounted
) -> None:
    """Streams of both keys end whole, and no request with the new key is rejected in between."""
    new, pid = f"sk-{secrets.token_hex(32)}", serving.processes["gateway"].pid
    by_key = {
        entry: serving.metric("envoy_gateway_requests", to="clients", team="product", key=entry)
        for entry in ("current", "next")
    }
    said_before = len(serving.log())  # by other tests, of keys that two teams have
    serving.replicas[A].faults = Faults(seconds_a_word=1.0)  # longer than both changes
    assert status(serving, new) == 401
    with ThreadPoolExecutor(2) as clients:
        by_old = clients.submit(lambda: serving.ask(OLD["product"], stream=True))
        mounted.put({**OLD, "product.next": new})
        eventually(lambda: status(serving, new) == 200)
        assert status(serving, OLD["product"]) == 200
        by_new = clients.submit(lambda: serving.ask(new, stream=True))
        time.sleep(1)

        seen: list[int] = []
        ended = threading.Event()

        def ask_on() -> None:
            while not ended.is_set() and len(seen) < 2000:
                seen.append(status(serving, new))
                time.sleep(0.01)

        asking = threading.Thread(target=ask_on)
        asking.start()
        mounted.put({**OLD, "product": new})
        eventually(lambda: status(serving, OLD["product"]) == 401)
        assert not by_old.done(), "its stream is still running"
        ended.set()
        asking.join(15)
        assert_complete([by_old.result(60), by_new.result(60)])
    assert set(seen) == {200}
    assert status(serving, new) == 200
    assert serving.processes["gateway"].pid == pid
    for entry, before in by_key.items():
        series = "envoy_gateway_requests"
        assert serving.metric(series, to="clients", team="product", key=entry) > before
    configured = serving.administer("GET", "/config_dump")
    for key in (new, *OLD.values()):
        assert key not in serving.logs() + serving.metrics() + configured
    assert "same key" not in serving.log()[said_before:]


def test_both_keys_of_a_team_count_against_the_same_limits(
    serving: Cluster, mounted: Mounted
) -> None:
    new = f"sk-{secrets.token_hex(32)}"
    mounted.put({**OLD, "small.next": new})
    eventually(lambda: status(serving, new) == 200)
    for _ in range(10):
        if serving.ask(OLD["small"]).status == 429:
            break
    assert serving.ask(OLD["small"]).status == 429, "50 tokens per day are used up"
    assert serving.ask(new).status == 429


def test_a_next_key_is_only_that_of_its_own_team(serving: Cluster, mounted: Mounted) -> None:
    """Neither is an entry without a team read, nor does another team's key change its owner."""
    mounted.put({**OLD, "unknown.next": "sk-unknown", "product.next": OLD["legal"]})
    serving.set_replicas()

    def is_told() -> bool:
        """Requests make the gateway read the keys again."""
        assert status(serving, "sk-unknown") == 401
        return "legal and product have the same key" in serving.log()

    eventually(is_told)
    assert status(serving, "sk-unknown") == 401
    assert serving.ask(OLD["legal"]).status == 503, "it stays inside, as requests of legal do"
    assert "sk-" not in serving.log()
