"""What a stack renders for its engine, and how it is changed to run on this machine.

Only device, size and model are changed: everything else is started as it is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.vllm import NOT_FOR_CPUS, ON_A_CPU
from breakeven.settings.stack import Settings
from tests.recording import STACKS, Registration, register_stack, stack_of

KEY = "the-key-of-a-test"

# Device: a CPU has no GPUs to spread over.
_PARALLEL = ("--tensor-parallel-size", "--pipeline-parallel-size", "--data-parallel-size")
# Of a replica that spans several nodes: here is one.
_OF_NODES = (
    "--distributed-executor-backend",
    "--nnodes",
    "--node-rank",
    "--master-addr",
)


@dataclass(frozen=True)
class Engine:
    """The container that serves one of a stack's models, and its pod's part in its life."""

    stack: str
    settings: Settings
    """Of the stack, as they are for this model."""
    container: Mapping[str, Any]
    pod: Mapping[str, Any]
    files: Mapping[str, Mapping[str, str]]
    """Files that are mounted from ConfigMaps, by volume and name."""

    @property
    def model(self) -> str:
        return self.settings.model.facts.name

    @property
    def grace(self) -> float:
        return float(self.pod["terminationGracePeriodSeconds"])

    @property
    def longest_request(self) -> int:
        return self.settings.engine.longest_request_seconds

    def probes(self) -> set[str]:
        kinds = ("startupProbe", "readinessProbe", "livenessProbe")
        return {self.container[kind]["httpGet"]["path"] for kind in kinds}


@dataclass(frozen=True)
class Local:
    """The same on this machine."""

    command: list[str]
    environment: dict[str, str]
    hook: list[str]


def engine_of(stack: str, **overrides: object) -> Engine:
    """The engine of a stack that has one model."""
    [engine] = engines_of(stack, **overrides)
    return engine


def engines_of(stack: str, **overrides: object) -> list[Engine]:
    """The engines that a stack renders, one for each of its models."""
    read = stack_of(stack, **overrides)
    registration = register_stack(read)
    maps = {item.metadata["name"]: item.inputs["data"] for item in registration.of("ConfigMap")}
    by_model = {each.model.facts.name: each for each in read.models}
    engines = []
    for container, pod in _engines(registration):
        files = {
            volume["name"]: maps[volume["configMap"]["name"]]
            for volume in pod["volumes"]
            if "configMap" in volume
        }
        model = by_model[_served(container["args"])]
        engines.append(Engine(stack, model, container, pod, files))
    return engines


def all_engines() -> dict[str, Engine]:
    """The engines of every stack that starts vLLM, by stack and, where there are more, by model."""
    found = {}
    for stack in STACKS:
        engines = engines_of(stack)
        for engine in engines:
            found[stack if len(engines) == 1 else f"{stack}, {engine.model}"] = engine
    return found


def localised(engine: Engine, folder: Path, model: Path, port: int) -> Local:
    """Puts the container's volumes under a folder, and the tiny model in the model's place."""
    for mount in engine.container["volumeMounts"]:
        place = _inside(folder, mount["mountPath"])
        place.mkdir(parents=True, exist_ok=True)
        for name, text in engine.files.get(mount["name"], {}).items():
            (place / name).write_text(text, encoding="utf-8")
    mounts = [mount["mountPath"] for mount in engine.container["volumeMounts"]]
    rendered_port = f"--port={int(engine.container['ports'][0]['containerPort'])}"

    def here(text: str) -> str:
        name, _, path = text.rpartition("=")
        for mount in mounts:
            if path == mount or path.startswith(f"{mount}/"):
                return f"{name}={_inside(folder, path)}" if name else str(_inside(folder, path))
        return f"--port={port}" if text == rendered_port else text

    _weights, *flags = engine.container["args"]
    arguments = [for_cpus(here(flag)) for flag in flags]
    environment = {item["name"]: here(_value(item)) for item in engine.container["env"]}
    return Local(
        command=[
            *engine.container["command"],
            str(model),
            *(flag for flag in arguments if flag),
            "--host=127.0.0.1",
            "--enforce-eager",
        ],
        environment={**environment, **ON_A_CPU},
        hook=[here(part) for part in engine.container["lifecycle"]["preStop"]["exec"]["command"]],
    )


def _served(arguments: Sequence[str]) -> str:
    [name] = [each for each in arguments if each.startswith("--served-model-name=")]
    return name.partition("=")[2]


def _engines(registration: Registration) -> Iterator[tuple[Any, Any]]:
    for resource in registration.resources:
        yield from _containers(resource.inputs)


def _containers(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        for container in value.get("containers", ()):
            # A further node of a replica answers nobody, and waits for a first one.
            worker = "--headless" in container.get("args", ())
            if list(container.get("command", ()))[:2] == ["vllm", "serve"] and not worker:
                yield container, value
        for item in value.values():
            yield from _containers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _containers(item)


def for_cpus(flag: str) -> str:
    """Returns a flag as a CPU build can use it; empty where it cannot."""
    name = flag.partition("=")[0]
    if name in _PARALLEL:
        return f"{name}=1"
    return "" if flag.startswith((*NOT_FOR_CPUS, *_OF_NODES)) else flag


def _value(variable: Mapping[str, Any]) -> str:
    if "value" in variable:
        return str(variable["value"])
    source = variable["valueFrom"]
    return KEY if "secretKeyRef" in source else "127.0.0.1"


def _inside(folder: Path, path: str) -> Path:
    return folder / path.lstrip("/")
