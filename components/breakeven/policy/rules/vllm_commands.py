"""Which containers are vLLM servers, and their command lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest

from breakeven.policy.images import parse_image
from breakeven.policy.manifest import Container, Pod, Resource, at
from breakeven.policy.rule import Check, Violation
from breakeven.policy.rules.command_lines import environment, words
from breakeven.policy.rules.containers import ContainerTest, asked_gpus

_SERVER_IMAGE = re.compile(r"(^|/)vllm-openai(-[a-z0-9-]+)?$")
_ENTRY_POINT = re.compile(r"\bvllm\.entrypoints\b|^-[a-zA-Z]*mvllm\b|^vllm\.entrypoints")
_KSERVE_FORMATS = ("huggingface", "vllm")  # the KServe runtime that uses vLLM
_IMPORTS = re.compile(r"\b(from|import)\s+vllm\b|_import__?\W+vllm\b|import_module\W+vllm\b")


def is_vllm(container: Container) -> bool:
    """Tells whether a container is a vLLM server, judging by its command, variables or image.

    A server with another name, no vLLM variables and an unrelated image name is not recognized.
    """
    line = words(container)
    for before, word, following in zip_longest(["", *line], line, line[1:], fillvalue=""):
        is_module = before.startswith("-") and before.endswith("m") and word == "vllm"
        serves = word.rpartition("/")[2] == "vllm" and following == "serve"
        if is_module or serves or _ENTRY_POINT.search(word):
            return True
    if at(container.spec, "modelFormat", "name") in _KSERVE_FORMATS:
        return True
    if any(_IMPORTS.search(word) for word in line):
        return True
    if any(name.startswith("VLLM_") for name in environment(container).stated):
        return True
    image = parse_image(str(container.spec.get("image", "")))
    # Its image runs other programs as well, which ask for no GPU.
    told_nothing = not container.spec.get("command") or asked_gpus(container)
    return bool(told_nothing) and bool(_SERVER_IMAGE.search(image.repository))


def vllm_containers(resource: Resource) -> Iterator[tuple[Pod, Container]]:
    """Yields the containers of a resource that are vLLM servers."""
    for pod in resource.pods:
        for container in pod.containers():
            if is_vllm(container):
                yield pod, container


def is_server(resource: Resource, _scope: object) -> bool:
    """Tells whether a resource has vLLM servers."""
    return any(True for _ in vllm_containers(resource))


def each_server(test: ContainerTest) -> Check:
    """Turns a test of one vLLM server into a check."""

    def check(resource: Resource, _scope: object) -> Iterator[Violation]:
        for pod, container in vllm_containers(resource):
            yield from test(container, pod)

    return Check(check, is_server)


def model_argument(container: Container) -> str | None:
    """Returns the served model: the word after `serve`, or the value of --model."""
    line = words(container)
    for word, following in zip_longest(line, line[1:], fillvalue=""):
        if word == "--model":
            return following
        if word.startswith("--model="):
            return word.partition("=")[2]
        if word == "serve" and following and not following.startswith("-"):
            return following
    return None
