"""Stand-ins for pulumi_aws, pulumi_gcp and pulumi_azure_native, which the project does not need.

Each class registers its type token with the arguments in camel case, as the real ones do. They
take any argument: that the real packages take those of the examples was checked by hand.
"""

from __future__ import annotations

import base64
import re
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pulumi
import pytest

_OUTPUTS = ("arn", "name", "endpoint", "certificateAuthority", "masterAuth")
"""What the examples read of a resource, besides its inputs."""


def camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name)


def camelized(value: Any) -> Any:
    if isinstance(value, dict):
        return {camel(key): camelized(item) for key, item in value.items()}
    return [camelized(item) for item in value] if isinstance(value, list) else value


class _Resource(pulumi.CustomResource):
    token = ""

    def __init__(self, name: str, opts: Any = None, **arguments: Any) -> None:
        properties = {camel(key): camelized(value) for key, value in arguments.items()}
        outputs = dict.fromkeys(output for output in _OUTPUTS if output not in properties)
        super().__init__(self.token, name, {**outputs, **properties}, opts)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__[camel(name)]
        except KeyError:
            raise AttributeError(name) from None


class _Package(ModuleType):
    """Has a module of any name, which has a class of any name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Module(self.__name__, name)


class _Module:
    def __init__(self, package: str, name: str) -> None:
        self.project: str | None = None
        self._package, self._name = package, name

    def __getattr__(self, name: str) -> Any:
        if name.endswith("_output"):
            return _credentials
        provider = self._package.removeprefix("pulumi_").replace("_", "-")
        place = self._name
        if provider != "azure-native":  # which has no name of a file in its tokens
            place += f"/{name[0].lower()}{name[1:]}"
        return type(name, (_Resource,), {"token": f"{provider}:{place}:{name}"})


def _credentials(**_arguments: object) -> pulumi.Output[Any]:
    text = base64.b64encode(b"apiVersion: v1").decode()
    return pulumi.Output.from_input(SimpleNamespace(kubeconfigs=[SimpleNamespace(value=text)]))


def put_in_place(patch: pytest.MonkeyPatch) -> None:
    """Lets programs import the stand-ins."""
    for name in ("pulumi_aws", "pulumi_gcp", "pulumi_azure_native"):
        patch.setitem(sys.modules, name, _Package(name))
