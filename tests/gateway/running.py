"""The real gateway program, with exactly what the stack renders; addresses are loopback ones.

Its files, arguments and variables are read from the registered ConfigMap and Deployment. What is
replaced, and by what, is in `Cluster`: the API by a stand-in, vLLM by a stand-in for each replica,
the cluster's name server by `cluster_names/`. The store is a real Valkey with the rendered
arguments.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from breakeven.manifests.gateway.component import gateway_component
from breakeven.manifests.gateway.labels import STORE_PORT
from breakeven.manifests.gateway.prices import TokenPrices
from breakeven.manifests.gateway.store import store_script
from breakeven.planning.inputs import token_prices
from breakeven.planning.offline import estimate_stack
from breakeven.settings.stack import Settings
from tests.gateway.environment import gateway_environment, valkey
from tests.gateway.stand_in import StandIn
from tests.recording import Registration, resources_of, settings_of

TODAY = date(2026, 11, 24)
MARK = "for our eyes only"
"""Every request that may not leave says so in its prompt."""

NAMES = Path(__file__).with_name("cluster_names")

SECRETS: Mapping[tuple[str, str], str] = {
    ("gateway", "master-key"): "sk-9c1185a5c5e9fc54612808977ee8f548b2258d31",
    ("gateway", "store-password"): "store-password-of-the-test",
    ("vllm-api-key", "api-key"): "own-key",
    ("overflow-api", "api-key"): "api-key-of-the-test",
}
TEAMS: Mapping[str, Mapping[str, object]] = {
    "product": {"usdPerMonth": "100"},
    "legal": {"dataMayLeave": False},
    "small": {"tokensPerDay": 50},
    "poor": {"usdPerMonth": "0.00003"},
}


def rendered(settings: Settings, prices: TokenPrices) -> Registration:
    """The gateway's resources."""
    return resources_of(gateway_component("gateway", settings, settings.gateway, prices))


@dataclass(frozen=True)
class Answer:
    """What a client got: `by` is own, inside, again or api; None if nobody answered."""

    status: int
    by: str | None
    text: str
    seconds: float
    headers: Mapping[str, str]

    @property
    def whole(self) -> bool:
        """Whether it is an answer, and not cut."""
        return self.status == 200 and '"error"' not in self.text

    def words(self) -> list[str]:
        """The words of an answer, whole or streamed, without who said them."""
        if not self.text.startswith("data:"):
            said = json.loads(self.text)["choices"][0]["message"]["content"]
        else:
            lines = [line.removeprefix("data: ") for line in self.text.split("\n\n") if line]
            assert lines[-1] == "[DONE]"
            chunks = [json.loads(line) for line in lines[:-1]]
            assert len({chunk["id"] for chunk in chunks}) == 1
            choices = [choice for chunk in chunks for choice in chunk["choices"]]
            said = "".join(choice["delta"].get("content") or "" for choice in choices)
        return re.findall(r"\D+(\d+)", said)


class Cluster:
    """Gateway, store, replicas and API, started and stopped together."""

    def __init__(self, folder: Path, **overrides: object) -> None:
        self.folder = folder
        self.settings = settings_of(
            "hybrid",
            **{
                "gateway.teams": TEAMS,
                "replicas.targetRequests": 2,
                "gateway.overflow.requestsPerReplica": 4,
                "gateway.overflow.timeoutSeconds": 2,
                "engine.longestRequestSeconds": 120,
                **overrides,
            },
        )
        self.prices = token_prices(estimate_stack("hybrid", TODAY))
        registration = rendered(self.settings, self.prices)
        self.files = dict(registration.one("ConfigMap").inputs["data"])
        [deployment] = [one for one in registration.of("Deployment") if one.name == "gateway"]
        self.container = deployment.container
        self.api = StandIn("api")
        self.replicas: dict[str, StandIn] = {}
        self._lost: list[StandIn] = []
        self.engine_port, self.port, self.metrics_port, self.store_port = free_ports(4)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environment = gateway_environment()
        self._names = folder / "names"
        self._names.write_text("")
        self._write()
        try:
            self._processes.append(self._store_process())
            self._start_gateway()
        except BaseException:
            self.close()
            raise

    def set_replicas(self, *hosts: str) -> list[StandIn]:
        """Lets these replicas be there, with no faults, and waits until the gateway knows."""
        for host in set(self.replicas) - set(hosts):
            self.replicas.pop(host).stop()
        for host in hosts:
            if host not in self.replicas:
                self.replicas[host] = StandIn("own", host, self.engine_port)
        self.write_names(*hosts)
        self.wait_for_ready(len(hosts))
        return [self.replicas[host] for host in hosts]

    def restart_api(self) -> None:
        """Lets the API be there, without faults and with nothing asked."""
        port = self.api.port
        self.api.stop()
        self.api = StandIn("api", port=port)

    def kill(self, host: str) -> None:
        """Kills a replica; its name keeps its address, as Kubernetes has not noticed yet."""
        self.replicas.pop(host).stop()

    def drain(self, host: str) -> None:
        """Ends a replica as Kubernetes does: new requests are refused, those under way end."""
        replica = self.replicas[host]
        replica.faults = replace(replica.faults, status=500)
        self.write_names(*(set(self.replicas) - {host}))
        deadline = time.monotonic() + 60
        while replica.running:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.kill(host)

    def lose(self, host: str) -> None:
        """Loses the machine of a replica: it is silent from now on, and its name stays."""
        self._lost.append(self.replicas.pop(host))
        self._lost[-1].fall_silent()

    def write_names(self, *hosts: str) -> None:
        beside = self._names.with_suffix(".new")
        beside.write_text("".join(f"model-replicas.llm.svc {host}\n" for host in hosts))
        beside.rename(self._names)

    def wait_for_ready(self, count: int) -> None:
        deadline = time.monotonic() + 30
        while self.metric("breakeven_gateway_ready_replicas") != count:
            assert time.monotonic() < deadline, self.log()[-2000:]
            time.sleep(0.1)

    def metric(self, name: str) -> float:
        """The sum of a series of the gateway."""
        return sum(
            float(line.split()[-1])
            for line in self._metrics().splitlines()
            if line.startswith(name)
        )

    def exposed(self, prefix: str) -> dict[str, set[str]]:
        """The labels of every series of the gateway whose name begins so, by name."""
        return {
            name: set(re.findall(r'(\w+)="', labels))
            for name, labels in re.findall(r"^(\w+)(.*) \S+$", self._metrics(), re.MULTILINE)
            if name.startswith(prefix) and not name.endswith("_created")
        }

    def _metrics(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def ask(
        self,
        key: str = "sk-product",
        *,
        text: str = "hello",
        stream: bool = False,
        headers: Mapping[str, str] | None = None,
        **parameters: object,
    ) -> Answer:
        """Asks as a client does."""
        body = {
            "model": "llama-3.1-8b-instruct",
            "messages": [{"role": "user", "content": text}],
            "stream": stream,
            **parameters,
        }
        return self.call("POST", "/v1/chat/completions", key=key, body=body, headers=headers)

    def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Sends any request."""
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Content-Type": "application/json", **(headers or {})}
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        found = {name.lower(): value for name, value in response.getheaders()}
        connection.close()
        return Answer(
            response.status,
            found.get("x-litellm-model-id"),
            text,
            time.monotonic() - started,
            found,
        )

    def leave_early(self) -> None:
        """Asks for a stream and goes away after its first part."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = {
            "model": "llama-3.1-8b-instruct",
            "messages": [{"role": "user", "content": "hello"}],
            "stream": True,
        }
        headers = {"Content-Type": "application/json", "Authorization": "Bearer sk-product"}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        connection.getresponse().read(10)
        connection.close()

    def python(self) -> Path:
        """The interpreter that runs the gateway."""
        return self._environment / "bin" / "python"

    def stop_gateway(self) -> None:
        stop(self._processes.pop())

    def log(self) -> str:
        return (self.folder / "gateway.log").read_text(errors="replace")

    def stop_store(self) -> None:
        stop(self._processes[0])

    def start_store_again(self) -> None:
        self._processes[0] = self._store_process()

    def close(self) -> None:
        for process in reversed(self._processes):
            stop(process)
        for server in (self.api, *self.replicas.values(), *self._lost):
            server.stop()

    def _write(self) -> None:
        """Writes the rendered files where the arguments name them; only addresses change."""
        configuration = yaml.safe_load(self.files["litellm.yaml"])
        for model in configuration["model_list"]:
            if model["model_info"]["id"] == "api":
                model["litellm_params"]["api_base"] = f"http://127.0.0.1:{self.api.port}/v1"
        policy = json.loads(self.files["policy.json"])
        policy |= {
            "replicasPort": self.engine_port,
            "storeHost": "127.0.0.1",
            "storePort": self.store_port,
            "metricsPort": self.metrics_port,
            "keysFolder": str(self.folder / "keys"),
        }
        for folder in ("configuration", "policy", "keys", "data", "home"):
            (self.folder / folder).mkdir()
        (self.folder / "configuration" / "litellm.yaml").write_text(yaml.safe_dump(configuration))
        (self.folder / "policy" / "policy.json").write_text(json.dumps(policy))
        for name, content in self.files.items():
            if name.endswith(".py"):
                (self.folder / "policy" / name).write_text(content)
        for team in TEAMS:
            (self.folder / "keys" / team).write_text(f"sk-{team}\n")

    def _store_process(self) -> subprocess.Popen[bytes]:
        script = store_script(self.store_port, str(self.folder / "data"))
        script = script.replace("valkey-server", "valkey-server --bind 127.0.0.1")
        assert str(STORE_PORT) not in script
        password = SECRETS["gateway", "store-password"]
        with (self.folder / "store.log").open("ab") as log:
            return subprocess.Popen(
                ["sh", "-c", script],
                env={
                    "PATH": f"{valkey(self._environment).parent}:{os.environ['PATH']}",
                    "STORE_PASSWORD": password,
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def _start_gateway(self) -> None:
        self._processes.append(self.gateway_process())
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            assert self._processes[-1].poll() is None, self.log()[-3000:]
            try:
                if self.call("GET", "/health/readiness", key=None).status == 200:
                    return
            except OSError:
                time.sleep(0.2)
        raise AssertionError(self.log()[-3000:])

    def gateway_process(self) -> subprocess.Popen[bytes]:
        """Starts the program as the pod does."""
        folders = {
            "/etc/gateway/": f"{self.folder}/configuration/",
            "--host=0.0.0.0": "--host=127.0.0.1",
            "--port=4000": f"--port={self.port}",
        }
        arguments = [_replaced(argument, folders) for argument in self.container["args"]]
        [program] = self.container["command"]
        with (self.folder / "gateway.log").open("wb") as log:
            return subprocess.Popen(
                [self._environment / "bin" / program, *arguments],
                env=self.variables(),
                cwd=self.folder / "home",
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def variables(self) -> dict[str, str]:
        """The pod's variables, Secrets looked up."""
        found = {"PATH": os.environ["PATH"], "CLUSTER_NAMES": str(self._names)}
        for variable in self.container["env"]:
            if "value" in variable:
                found[variable["name"]] = variable["value"]
            else:
                source: Any = variable["valueFrom"]["secretKeyRef"]
                found[variable["name"]] = SECRETS[source["name"], source["key"]]
        assert found["PYTHONPATH"] == "/opt/gateway"
        found["PYTHONPATH"] = f"{self.folder}/policy:{NAMES}"
        found["HOME"] = found["XDG_CACHE_HOME"] = str(self.folder / "home")
        return found


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ends a process of the test's own, and waits for it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _replaced(text: str, values: Mapping[str, str]) -> str:
    for old, new in values.items():
        text = text.replace(old, new)
    return text
