"""Finds a context in kubeconfig files, as kubectl does, and its user's credentials."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from kubernetes import config
from kubernetes.client import Configuration
from kubernetes.config.config_exception import ConfigException

from breakeven.cluster.errors import KubeconfigError
from breakeven.suggestions import near_names, suggestion


def load(settings: Configuration, kubeconfig: Path | None, context: str | None) -> tuple[str, str]:
    """Reads a kubeconfig into the client's settings, and returns context and namespace.

    Args:
        settings: Get address, certificates and credentials.
        kubeconfig: The file; KUBECONFIG or ~/.kube/config if None.
        context: Its context; the current one if None.

    Raises:
        KubeconfigError: There is none, it is damaged, it does not have the context, or there are no
            credentials for it.
    """
    file = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG") or str(_default())
    if not any(Path(each).is_file() for each in file.split(os.pathsep)):
        msg = (
            f"no kubeconfig: {file} is not a file. Set --kubeconfig FILE or KUBECONFIG, or start "
            "a local cluster with make rig"
        )
        raise KubeconfigError(msg)
    try:
        contexts, current = config.list_kube_config_contexts(  # type: ignore[no-untyped-call]
            file
        )
    except (ConfigException, yaml.YAMLError, OSError, AttributeError, TypeError, KeyError) as error:
        raise KubeconfigError(_damaged(file, error)) from None
    known = {each["name"]: each.get("context") or {} for each in contexts or ()}
    name = context or (current or {}).get("name", "")
    if name not in known:
        near = suggestion(near_names(name, known)) if name else ""
        msg = (
            f'{file} has no context "{name}"{near}. Allowed: {", ".join(sorted(known)) or "none"}; '
            "name one with --context"
        )
        raise KubeconfigError(msg)
    try:
        with _helper_failures() as failures:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                file, name, client_configuration=settings, persist_config=False
            )
    except (ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, KeyError) as error:
        raise KubeconfigError(_damaged(file, error)) from None
    if failures:
        msg = (
            f"the credential command of context {name} in {file} failed. Install it or sign in "
            "again. To see its output, run kubectl auth whoami"
        )
        raise KubeconfigError(msg)
    absent = [
        each
        for each in (settings.cert_file, settings.key_file)
        if each and not Path(each).is_file()
    ]
    if absent:
        msg = f"{file} references {absent[0]} for context {name}, which is not a file"
        raise KubeconfigError(msg)
    return name, str(known[name].get("namespace") or "default")


@contextmanager
def _helper_failures() -> Iterator[list[str]]:
    """Collects what the client logs about a command for credentials, which may hold some itself."""
    failures: list[str] = []
    collector = logging.Handler(logging.ERROR)
    collector.emit = lambda record: failures.append(record.msg)  # type: ignore[method-assign]
    logging.getLogger().addHandler(collector)
    try:
        yield failures
    finally:
        logging.getLogger().removeHandler(collector)


def _default() -> Path:
    return Path.home() / ".kube" / "config"


def runs_in_pod() -> bool:
    """Tells whether the command runs in a pod, without a kubeconfig."""
    return (
        "KUBERNETES_SERVICE_HOST" in os.environ
        and not os.environ.get("KUBECONFIG")
        and not _default().is_file()
    )


def _damaged(file: str, error: Exception) -> str:
    """Says what is wrong with a kubeconfig, and repeats no line of it: it holds credentials."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        found = f"invalid YAML in line {mark.line + 1}"
    elif isinstance(error, OSError) and error.filename:
        found = f"cannot read {error.filename} ({error.strerror})"
    elif isinstance(error, ConfigException):
        found = str(error).splitlines()[0]
    else:
        found = f"damaged ({type(error).__name__})"
    return f"{file} is not a valid kubeconfig: {found}. Check it with: kubectl config view"
