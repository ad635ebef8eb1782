"""Two real replicas under load, replaced one by one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.vllm.client import Stream, stream
from tests.vllm.conftest import Start
from tests.vllm.rendered import KEY
from tests.vllm.server import Server

STACK = "dev"
CALLERS = 6
TOKENS = 300
# From a pod's deletion until the last node has taken it out: seconds in a large cluster.
NOTICED_SECONDS = 3


@dataclass
class Endpoints:
    """Stands in for a Service with kube-proxy: new connections go to the replicas in turn.

    As there, a connection that is open stays with its replica, also when that leaves.
    """

    servers: list[Server]
    turn: itertools.count[int] = field(default_factory=itertools.count)

    def next(self) -> str:
        return self.servers[next(self.turn) % len(self.servers)].address

    async def delete(self, server: Server) -> float:
        """Deletes a pod: it is taken out while its preStop hook runs."""
        deleting = asyncio.create_task(asyncio.to_thread(server.delete))
        await asyncio.sleep(NOTICED_SECONDS)
        self.servers.remove(server)
        return await deleting


@asynccontextmanager
async def load(endpoints: Endpoints, model: str) -> AsyncIterator[list[Stream]]:
    """Callers who send one request after the other, and never one twice."""
    answers: list[Stream] = []
    enough = asyncio.Event()

    async def call() -> None:
        address = endpoints.next()
        async with aiohttp.ClientSession() as session:
            while not enough.is_set():
                answer = await stream(session, address, KEY, model, TOKENS)
                answers.append(answer)
                if not answer.stays:
                    address = endpoints.next()

    callers = [asyncio.create_task(call()) for _ in range(CALLERS)]
    try:
        yield answers
    finally:
        enough.set()
        await asyncio.gather(*callers)


def test_no_request_is_dropped_while_all_replicas_are_replaced(start: Start) -> None:
    first, second = start(STACK), start(STACK)
    for server in (first, second):
        server.wait_until_ready()

    async def roll_out() -> list[Stream]:
        endpoints = Endpoints([first, second])
        async with load(endpoints, first.engine.model) as answers:
            # Without a spare GPU: one goes before its successor starts.
            await endpoints.delete(first)
            successor = await asyncio.to_thread(start, STACK)
            await asyncio.to_thread(successor.wait_until_ready)
            endpoints.servers.append(successor)
            await endpoints.delete(second)
        return answers

    answers = asyncio.run(roll_out())
    assert len(answers) > 2 * CALLERS
    assert [answer for answer in answers if not answer.is_whole(TOKENS)] == []
    assert first.process.returncode == second.process.returncode == 0
