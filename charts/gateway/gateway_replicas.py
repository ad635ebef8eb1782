"""The own replicas: which are there, how busy each is, and which of them takes a request.

Knows nothing of LiteLLM, so that its rules are tested without it.
"""

from __future__ import annotations

import hashlib
import logging
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

_LOG = logging.getLogger("gateway")
_BUSY = re.compile(r"^vllm:num_requests_(?:running|waiting)(?:\{[^}]*\})? (\S+)", re.MULTILINE)
_STALE_SECONDS = 10.0
SILENT_SECONDS = 10.0
"""After which a replica that answers nothing is lost, not busy."""
_NOWHERE = ""  # of a request that has a place, and no replica yet
_MARGIN = 1.25
"""How far a replica may be busier than the mean before a prompt goes to its second choice; the
bound of consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, 2016)."""


def requests_in(metrics: str) -> int:
    """Returns a replica's requests, running and waiting, from its own metrics.

    Raises:
        ValueError: It is not vLLM's text: there is neither series, or a number is none.
    """
    numbers = [float(found) for found in _BUSY.findall(metrics)]
    if not numbers or not all(map(math.isfinite, numbers)):
        msg = "no number of vllm:num_requests_running in the metrics"
        raise ValueError(msg)
    return int(sum(numbers))


class Replicas:
    """The ready replicas by address, and how many requests each has.

    A replica has as many as it said at the last look, or as this gateway has under way there, if
    those are more: so a burst within a second is seen. Nothing counts as ready once the last look
    is 10 s old. Safe to use from several threads.

    Args:
        longest_seconds: After which a request counts as over, should its end have been missed.
        clock: Tells the time in seconds.
    """

    def __init__(self, longest_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._longest_seconds = longest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, int] = {}
        self._seen_at = -math.inf
        self._under_way: dict[str, tuple[str, float]] = {}

    def update(self, said: Mapping[str, int]) -> None:
        """Takes what was just seen: requests by address."""
        with self._lock:
            self._said = dict(said)
            self._seen_at = self._clock()
            over = self._clock() - self._longest_seconds
            self._under_way = {
                request: sent for request, sent in self._under_way.items() if sent[1] > over
            }

    def ready(self) -> dict[str, int]:
        """Returns requests by address of the ready replicas."""
        with self._lock:
            return self._ready()

    def reserve(self, request: str, requests_per_replica: int) -> bool:
        """Counts a request if the ready replicas have room for it, and tells whether they have.

        In one step: requests that come together must not all see the same last place.
        """
        with self._lock:
            ready = self._ready()
            reserved = sum(1 for address, _ in self._under_way.values() if address == _NOWHERE)
            if sum(ready.values()) + reserved >= len(ready) * requests_per_replica:
                return False
            self._under_way[request] = (_NOWHERE, self._clock())
            return True

    def send(self, request: str, prefix: str, tried: Iterable[str] = ()) -> str | None:
        """Picks the replica for a request and counts it there; None where none is left.

        Prompts that begin alike go to the same replica, whose prefix cache knows the beginning,
        unless it is much busier than the others. When a replica comes or goes, only its own
        prompts move (rendezvous hashing).
        """
        left = {address: busy for address, busy in self.ready().items() if address not in tried}
        if not left:
            return None
        bound = math.ceil(_MARGIN * (sum(left.values()) + 1) / len(left))
        order = sorted(left, key=lambda address: _weight(prefix, address), reverse=True)
        chosen = next(address for address in order if left[address] < bound)
        with self._lock:
            self._under_way[request] = (chosen, self._clock())
        return chosen

    def _ready(self) -> dict[str, int]:
        if self._clock() - self._seen_at > _STALE_SECONDS:
            return {}
        own = Counter(address for address, _ in self._under_way.values())
        return {address: max(said, own[address]) for address, said in self._said.items()}

    def finished(self, request: str) -> None:
        """Stops to count a request, if it is counted."""
        with self._lock:
            self._under_way.pop(request, None)


def _weight(prefix: str, address: str) -> bytes:
    return hashlib.blake2b(f"{address}\0{prefix}".encode(), digest_size=16).digest()


class Watcher:
    """Looks at the replicas once a second, in a thread of its own.

    Args:
        replicas: Takes what is seen.
        addresses: Returns the addresses of the replicas that Kubernetes calls ready.
        metrics: Returns a replica's metrics; raises TimeoutError where it is slow, and another
            OSError or ValueError where it does not answer.
        seconds: Pause between two looks.
        clock: Tells the time in seconds.
    """

    def __init__(
        self,
        replicas: Replicas,
        addresses: Callable[[], Iterable[str]],
        metrics: Callable[[str], str],
        seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._replicas = replicas
        self._addresses = addresses
        self._metrics = metrics
        self._seconds = seconds
        self._clock = clock
        self._answered: dict[str, float] = {}
        self._workers = ThreadPoolExecutor(16, thread_name_prefix="replicas")

    def start(self) -> None:
        """Starts to look; ends with the process."""
        threading.Thread(target=self._run, name="watcher", daemon=True).start()

    def look(self) -> None:
        """Looks once."""
        try:
            addresses = list(self._addresses())
        except OSError:  # the name has no address: no replica is ready
            addresses = []
        seen = list(zip(addresses, self._workers.map(self._requests_at, addresses), strict=True))
        self._answered = {one: at for one, at in self._answered.items() if one in addresses}
        self._replicas.update({address: busy for address, busy in seen if busy is not None})

    def _requests_at(self, address: str) -> int | None:
        """Returns a replica's requests; None for one that is not ready, whatever its name says.

        One that is slow to answer is busy, not gone: it keeps its last number for a while.
        """
        try:
            found = requests_in(self._metrics(address))
        except TimeoutError:
            silent = self._clock() - self._answered.get(address, -math.inf)
            return self._replicas.ready().get(address) if silent < SILENT_SECONDS else None
        except (OSError, ValueError):
            return None
        self._answered[address] = self._clock()
        return found

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Exception as error:  # noqa: BLE001  # without a look nothing is ready for good
                # The class alone: a message may hold what a replica said.
                _LOG.error("no look at the replicas: %s", type(error).__name__)
            time.sleep(self._seconds)
