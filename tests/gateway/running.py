"""The real gateway on loopback: Envoy, ratelimit and Valkey with exactly what a stack renders.

Stand-ins are what cannot be had here: vLLM for each replica, the API, and the cluster's name
server. The ports, addresses and paths of the pods become those of the test (`rendering.moved`).
"""

from __future__ import annotations

import http.client
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from breakeven.manifests.gateway.figures import GatewayFigures, TokenPrices
from breakeven.planning.gateway import gateway_figures
from breakeven.planning.offline import estimate_stack
from tests.gateway.certificates import server_context
from tests.gateway.client import Client
from tests.gateway.environment import envoy, ratelimit, valkey
from tests.gateway.names import NameServer
from tests.gateway.processes import Process, free_ports, is_open
from tests.gateway.rendering import EGRESS, Rendered, moved, written
from tests.gateway.stand_in import Asked, StandIn
from tests.gateway.tokens import Provider
from tests.recording import stack_of

TODAY = date(2026, 11, 24)
MARK = "for our eyes only"
"""Every request that may not leave says so in its prompt."""

SECRETS: Mapping[tuple[str, str], str] = {
    ("vllm-api-key", "api-key"): "own-key-of-the-test",
    ("overflow-api", "api-key"): "api-key-of-the-test",
    ("second-api", "api-key"): "second-api-key-of-the-test",
}
TEAMS: Mapping[str, Mapping[str, object]] = {
    "product": {"usdPerMonth": "100"},
    "legal": {"dataMayLeave": False},
    "small": {"tokensPerDay": 50},
    "poor": {"usdPerMonth": "0.00003"},
}
CLIENTS, SCRAPED, ADMIN = 8000, 9464, 9901


@cache
def prices(stack: str = "hybrid") -> GatewayFigures:
    """What tokens of a stack cost."""
    return gateway_figures(estimate_stack(stack, TODAY))


def prices_of_model() -> TokenPrices:
    """What tokens of the hybrid stack's only model cost."""
    [found] = prices().models.values()
    return found


class Cluster(Client):
    """Gateway, store, replicas and API, started and stopped together.

    Args:
        folder: Of its own.
        overrides: Settings of the stack, by dotted key.
        teams: As in the settings; each has the key `sk-NAME`.
        traced: Whether every address that Envoy uses is written to `folder/addresses`.
        stack: What is rendered; of several models all are behind the gateway.
        figures: What its tokens cost; those of the stack as its file states it if None.
        secrets: Values of Secrets, by name and key.
        engine_port: Of replicas that others start; a free one for stand-ins if 0.
    """

    def __init__(
        self,
        folder: Path,
        overrides: Mapping[str, object] = MappingProxyType({}),
        *,
        teams: Mapping[str, Mapping[str, object]] = TEAMS,
        traced: bool = False,
        stack: str = "hybrid",
        figures: GatewayFigures | None = None,
        secrets: Mapping[tuple[str, str], str] = SECRETS,
        engine_port: int = 0,
    ) -> None:
        self.folder = folder
        self.teams = teams
        self._secrets = secrets
        self._traced = folder / "addresses" if traced else None
        few = {
            "replicas.targetRequests": 2,
            "gateway.overflow.requestsPerReplica": 4,
            "gateway.overflow.timeoutSeconds": 4,
            "engine.longestRequestSeconds": 120,
        }
        # A burst of the tests is larger than what a stack of their size takes.
        large = {name: {"requestsInFlight": 1000, **team} for name, team in teams.items()}
        self._stack, self._figures = stack, figures or prices(stack)
        self._changed = {"gateway.teams": large, **(few if stack == "hybrid" else {}), **overrides}
        self._render()
        *others, _ = free_ports(8)
        super().__init__(self.listening[8000], self.settings.model.name)
        free, self.limits_port, self.store_port, self._health_port, *egress = others
        self.engine_port = engine_port or free
        self.egress_port = egress[0]
        self._egress_listening = dict(zip((8002, 9464, 9901), egress, strict=True))
        self.names = NameServer()
        self.api_names = [
            name
            for cluster in self.api_clusters
            for name in self.rendered.names(cluster, self.rendered.egress)
        ]
        provider = self.rendered.names("jwks", self.rendered.egress)
        self._api_context = server_context(folder, *self.api_names, *provider)
        self.provider = Provider(self._api_context if provider else None)
        self.api = StandIn("api", tells_usage_always=False, context=self._api_context)
        self._engine_context = None
        if self.settings.network.tls_secret is not None:
            authority = folder / "engine-ca"
            authority.mkdir()
            name = f"model-replicas.{self.settings.network.namespace}.svc"
            self._engine_context = server_context(authority, name)
            (authority / "ca.pem").rename(authority / "ca.crt")
        if self.settings.gateway.tls.is_on:
            (folder / "certificate").mkdir()
            self.renew_certificate()
        if self.settings.gateway.tls.egress_secret is not None:
            namespace = self.settings.network.namespace
            self.show_to_each_other(f"gateway-egress.{namespace}.svc")
        self.replicas, self.further = dict[str, StandIn](), dict[str, StandIn]()
        self.candidates, self.further_candidates = dict[str, StandIn](), dict[str, StandIn]()
        self._former: list[Process] = []
        self._lost: list[StandIn] = []
        self.processes: dict[str, Process] = {}
        self.write_names()
        self._write()
        try:
            self.start_store()
            self.start_limits()
            self.start_egress()
            self.start_gateway()
        except BaseException:
            self.close()
            raise

    def _render(self) -> None:
        """Renders the gateway for ports of its own."""
        self.settings = stack_of(self._stack, **self._changed).models[0]
        self.rendered = Rendered.of(self.settings, self._figures)
        inside = (8000, 9464, 9901, 8001, 8002, 8003)
        self.listening = dict(zip(inside, free_ports(len(inside)), strict=True))
        self.scraped, self.admin = self.listening[9464], self.listening[9901]

    def roll_out(self, **overrides: object) -> Process:
        """Starts a gateway of other settings, as an update does, and lets new requests go there.

        Returns:
            The former gateway, which goes on with what it has.
        """
        former = self.processes.pop("gateway")
        self._former.append(former)
        authority = self.folder / "ca.pem"
        self.folder = self.folder / "next"
        self.folder.mkdir()
        (self.folder / "ca.pem").write_bytes(authority.read_bytes())
        self._changed |= overrides
        self._render()
        self.write_names(*self.replicas)
        self._write()
        self.start_gateway()
        self.wait_for_ready(*self.replicas)
        self.port = self.listening[8000]
        return former

    # Replicas and API

    def set_candidates(self, *hosts: str) -> list[StandIn]:
        """Lets the first model's candidate have these replicas, and waits until Envoy knows."""
        is_tried = self.rendered.names("candidate")
        return self._set(self.candidates, hosts, ["candidate"] if is_tried else [])

    def set_further_candidates(self, *hosts: str) -> list[StandIn]:
        """The same for the candidates of the models after the first; each has all of them."""
        return self._set(self.further_candidates, hosts, self.further_trials)

    def _set(
        self, replicas: dict[str, StandIn], hosts: Sequence[str], clusters: Sequence[str]
    ) -> list[StandIn]:
        for host in set(replicas) - set(hosts):
            replicas.pop(host).stop()
        for host in hosts:
            if host in replicas:
                replicas[host].begin_anew()
            else:
                replicas[host] = StandIn("own", host, self.engine_port)
        self.write_names(*self.replicas)
        self._wait(clusters, hosts)
        return [replicas[host] for host in hosts]

    def _wait(self, clusters: Sequence[str], hosts: Sequence[str]) -> None:
        """Waits until exactly these are ready in each of the clusters."""
        deadline = time.monotonic() + 30
        while any(self.ready(name) != set(hosts) for name in clusters):
            assert time.monotonic() < deadline, self.log()[-2000:]
            time.sleep(0.05)
        if clusters:
            # Envoy's threads for requests learn it from the one that says so here.
            time.sleep(0.05)

    def set_replicas(self, *hosts: str) -> list[StandIn]:
        """Lets these replicas be there, with no faults, and waits until the gateway knows."""
        for host in set(self.replicas) - set(hosts):
            self.replicas.pop(host).stop()
        for host in hosts:
            if host not in self.replicas:
                self.add_replica(host)
            else:
                self.replicas[host].begin_anew()
        self.write_names(*hosts)
        self.wait_for_ready(*hosts)
        return [self.replicas[host] for host in hosts]

    @property
    def api_clusters(self) -> list[str]:
        """Envoy's clusters of the providers behind the gateway."""
        return [one for one in self._clusters() if one == "api" or one.startswith("api-")]

    @property
    def further_clusters(self) -> list[str]:
        """Envoy's clusters of the replicas of the models after the first."""
        return [one for one in self._clusters() if one.startswith(("inside-", "own-model"))]

    @property
    def further_trials(self) -> list[str]:
        """Envoy's clusters of the candidates of the models after the first."""
        return [one for one in self._clusters() if one.startswith("candidate-model-")]

    def _clusters(self) -> list[str]:
        return [one["name"] for one in self.rendered.bootstrap["static_resources"]["clusters"]]

    def set_further(self, *hosts: str) -> list[StandIn]:
        """Lets the models after the first have these replicas, and waits until the gateway knows.

        With no faults; each model has all of them.
        """
        return self._set(self.further, hosts, self.further_clusters)

    def add_replica(self, host: str) -> StandIn:
        """Starts a replica; the gateway may not know of it yet."""
        replica = StandIn("own", host, self.engine_port, context=self._engine_context)
        self.replicas[host] = replica
        return replica

    def begin_anew(self) -> None:
        """Lets the API be there, without faults and with nothing asked; the replicas likewise."""
        self.names.fails = False
        for server in (self.api, *self.replicas.values()):
            server.begin_anew()

    def stop_api(self) -> None:
        """Kills the API; `begin_anew` brings it back."""
        self.api.stop()

    def kill(self, host: str) -> None:
        """Kills a replica; its name keeps its address, as Kubernetes has not noticed yet."""
        self.replicas.pop(host).stop()

    def drain(self, host: str) -> None:
        """Ends a replica as Kubernetes does: new requests are refused, those under way end."""
        replica = self.replicas[host]
        replica.faults = replace(replica.faults, status=500)
        self.write_names(*(set(self.replicas) - {host}))
        _wait_for_end(replica)
        self.kill(host)

    def drain_candidate(self, host: str) -> None:
        """Ends a replica of a candidate in the same way."""
        replica = self.candidates.pop(host)
        replica.faults = replace(replica.faults, status=500)
        self.write_names(*self.replicas)
        _wait_for_end(replica)
        replica.stop()

    def lose(self, host: str) -> None:
        """Loses the machine of a replica: it is silent from now on, and its name stays."""
        self._lost.append(self.replicas.pop(host))
        self._lost[-1].fall_silent()

    def renew_certificate(self, *names: str) -> None:
        """Gives the gateway a certificate of a new authority, whom alone this client trusts."""
        server_context(self.folder / "certificate", *(names or ("localhost",)))
        self.trusts = ssl.create_default_context(cafile=self.folder / "certificate" / "ca.pem")

    def show_to_each_other(self, name: str) -> None:
        """Gives the pods that call the API a certificate, and the others its authority."""
        certificate = self.folder / "egress" / "certificate"
        certificate.mkdir(parents=True, exist_ok=True)
        server_context(certificate, name)
        (self.folder / "egress-ca").mkdir(exist_ok=True)
        (certificate / "ca.pem").rename(self.folder / "egress-ca" / "ca.crt")

    def speak_tls_as(self, name: str) -> None:
        """Lets replicas that start from now on have the certificate of somebody else."""
        other = self.folder / "other"
        other.mkdir()
        self._engine_context = server_context(other, name)

    @property
    def way_out_port(self) -> int:
        """Where the pods that clients call send what leaves: to others, or to the API itself."""
        return self.api.port if self.rendered.egress is None else self.egress_port

    def write_names(self, *hosts: str) -> None:
        """Says which replicas the headless Service has."""
        known: dict[str, tuple[str, ...]] = dict.fromkeys(self.rendered.names("inside"), hosts)
        for cluster in self.further_clusters:
            known |= dict.fromkeys(self.rendered.names(cluster), tuple(self.further))
        known |= dict.fromkeys(self.rendered.names("candidate"), tuple(self.candidates))
        for cluster in self.further_trials:
            known |= dict.fromkeys(self.rendered.names(cluster), tuple(self.further_candidates))
        known |= dict.fromkeys(self.api_names, ("127.0.0.1",))
        for cluster in self.api_clusters:
            known |= dict.fromkeys(self.rendered.names(cluster), ("127.0.0.1",))
        known |= dict.fromkeys(self.rendered.names("jwks", self.rendered.egress), ("127.0.0.1",))
        known |= dict.fromkeys(self.rendered.names("ratelimit"), ("127.0.0.1",))
        self.names.addresses = known

    def wait_for_ready(self, *hosts: str) -> None:
        """Waits until the gateway sends requests to exactly these replicas."""
        self._wait([name for name in ("own", "inside") if self.rendered.names(name)], hosts)

    def ready(self, cluster: str) -> set[str]:
        """The replicas that the gateway calls ready."""
        text = self.administer("GET", "/clusters")
        found = re.findall(rf"^{cluster}::([\d.]+):\d+::health_flags::(\S+)$", text, re.MULTILINE)
        healthy = {host for host, flags in found if flags == "healthy"}
        # Whoever balances learns it later than that page.
        text = self.administer("GET", f"/stats?filter=^cluster.{cluster}.membership_healthy$")
        return healthy if int(text.split()[-1]) == len(healthy) else {"unsettled"}

    # Programs

    def start_store(self) -> None:
        """Starts Valkey."""
        container = self.rendered.container("gateway-store", "valkey")
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        arguments = [
            part.replace("/data", str(data)) for part in _words(container, "valkey-server")
        ]
        # The last value of an option counts.
        arguments += ["--bind", "127.0.0.1", "--port", str(self.store_port), "--dir", str(data)]
        self.processes["store"] = process = Process(
            [valkey(), *arguments], self.folder / "store.log", {}
        )
        process.wait_until(lambda: is_open(self.store_port), "the store")

    def start_limits(self) -> None:
        """Starts the ratelimit service."""
        container = self.rendered.container("gateway-store", "ratelimit")
        runtime = self.folder / "limits"
        variables = self._variables(container)
        inside = runtime / variables["RUNTIME_SUBDIRECTORY"] / variables["RUNTIME_APPDIRECTORY"]
        inside.mkdir(parents=True, exist_ok=True)
        for name, text in self.rendered.data("gateway-store").items():
            (inside / name).write_text(text)
        variables |= {
            "RUNTIME_ROOT": str(runtime),
            "REDIS_URL": f"127.0.0.1:{self.store_port}",
            "HOST": "127.0.0.1",
            "PORT": str(self._health_port),
            "GRPC_HOST": "127.0.0.1",
            "GRPC_PORT": str(self.limits_port),
            "DEBUG_HOST": "127.0.0.1",
            "DEBUG_PORT": str(free_ports(1)[0]),
        }
        self.processes["limits"] = process = Process(
            [ratelimit()], self.folder / "limits.log", variables
        )
        process.wait_until(lambda: is_open(self.limits_port), "ratelimit")

    def start_egress(self) -> None:
        """Starts the Envoy that calls the API, where it is one of its own."""
        if self.rendered.egress is None:
            return
        container = self.rendered.container(EGRESS, "envoy")
        assert not container.get("env"), "it has no key"
        arguments = [written(one, self.folder / "egress") for one in container["args"]]
        self.processes["egress"] = process = Process(
            [str(envoy()), *arguments, "--use-dynamic-base-id"], self.folder / "egress.log", {}
        )
        process.wait_until(lambda: is_open(self.egress_port), "the way out")

    def start_gateway(self) -> None:
        """Starts Envoy, and waits until it takes requests."""
        self.processes["gateway"] = process = Process(
            self.gateway_command(),
            self.folder / "gateway.log",
            self._variables(self.rendered.container("gateway", "envoy")),
            traced=self._traced,
        )
        process.wait_until(lambda: "LIVE" in self.administer("GET", "/ready"), "the gateway")

    def gateway_command(self) -> list[str]:
        """Envoy with the pod's arguments."""
        container = self.rendered.container("gateway", "envoy")
        arguments = [written(one, self.folder) for one in container["args"]]
        return [str(envoy()), *arguments, "--use-dynamic-base-id"]

    def stop(self, name: str) -> None:
        """Ends the program `store`, `limits` or `gateway`."""
        self.processes.pop(name).stop()

    def log(self) -> str:
        """What Envoy has said, accesses included."""
        return (self.folder / "gateway.log").read_text(errors="replace")

    def logs(self) -> str:
        """What all programs have said."""
        return "".join(file.read_text(errors="replace") for file in self.folder.glob("*.log"))

    def administer(self, method: str, path: str) -> str:
        """Asks Envoy's administration, which is on loopback only."""
        return _get(self.admin, method, path)

    def metrics(self) -> str:
        """What Prometheus reads."""
        return _get(self.scraped, "GET", "/metrics")

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a series of the gateway over all further labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            float(line.split()[-1])
            for line in self.metrics().splitlines()
            if re.match(rf"{name}[{{ ]", line) and all(one in line for one in wanted)
        )

    def exposed(self, prefix: str) -> dict[str, set[str]]:
        """The labels of all series whose name begins so, by name."""
        found: dict[str, set[str]] = {}
        for name, labels in re.findall(r"^(\w+)(.*) \S+$", self.metrics(), re.MULTILINE):
            if name.startswith(prefix):
                found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
        return found

    def asked(self) -> list[Asked]:
        """All that the own replicas were asked."""
        return [one for replica in self.replicas.values() for one in replica.asked]

    def close(self) -> None:
        """Ends everything."""
        for process in (*reversed(self.processes.values()), *self._former):
            process.stop()
        sets = (self.replicas, self.candidates, self.further, self.further_candidates)
        replicas = [one for hosts in sets for one in hosts.values()]
        for server in (self.api, *replicas, *self._lost):
            server.stop()
        self.provider.stop()
        self.names.stop()

    def _write(self) -> None:
        """Writes the rendered files where the arguments name them."""
        configuration, keys = self.folder / "configuration", self.folder / "keys"
        configuration.mkdir()
        keys.mkdir()
        bootstrap = moved(
            yaml.safe_load(self.rendered.data("gateway")["envoy.yaml"]),
            listening=self.listening,
            called={
                **dict.fromkeys(
                    ("own", "inside", "candidate", *self.further_clusters, *self.further_trials),
                    self.engine_port,
                ),
                **dict.fromkeys(self.api_clusters, self.way_out_port),
                "jwks": self.provider.port if self.rendered.egress is None else self.egress_port,
                "ratelimit": self.limits_port,
            },
            name_server=self.names.port,
        )
        for name, text in self.rendered.data("gateway").items():
            here = yaml.safe_dump(bootstrap, width=10**6) if name == "envoy.yaml" else text
            (configuration / name).write_text(written(here, self.folder))
        if self.rendered.egress is not None:
            self._write_egress()
        if self.settings.gateway.oidc.jwks_secret is not None:
            (self.folder / "jwks").mkdir()
            (self.folder / "jwks" / "jwks.json").write_text(self.provider.jwks())
        for team in self.teams:
            (keys / team).write_text(f"sk-{team}\n")

    def _write_egress(self) -> None:
        folder = self.folder / "egress"
        (folder / "configuration").mkdir(parents=True)
        (folder / "ca.pem").write_bytes((self.folder / "ca.pem").read_bytes())
        bootstrap = moved(
            yaml.safe_load(self.rendered.data(EGRESS)["envoy.yaml"]),
            listening=self._egress_listening,
            called={
                **dict.fromkeys(self.api_clusters, self.api.port),
                "jwks": self.provider.port,
            },
            name_server=self.names.port,
        )
        for name, text in self.rendered.data(EGRESS).items():
            here = yaml.safe_dump(bootstrap, width=10**6) if name == "envoy.yaml" else text
            (folder / "configuration" / name).write_text(written(here, folder))

    def _variables(self, container: Any) -> dict[str, str]:
        """A container's variables, Secrets looked up."""
        found = {}
        for variable in container.get("env", ()):
            if "value" in variable:
                found[variable["name"]] = variable["value"]
            elif "secretKeyRef" in variable["valueFrom"]:
                source = variable["valueFrom"]["secretKeyRef"]
                found[variable["name"]] = self._secrets[source["name"], source["key"]]
        return found


def _wait_for_end(replica: StandIn) -> None:
    deadline = time.monotonic() + 60
    while replica.running:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _words(container: Any, program: str) -> list[str]:
    """The arguments of a program."""
    words = [*container.get("command", ()), *container.get("args", ())]
    return [one for one in words if one != program]


def _get(port: int, method: str, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    text = connection.getresponse().read().decode()
    connection.close()
    return text
