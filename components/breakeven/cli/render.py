"""`breakeven render`: the manifests of a stack as YAML, for Argo CD or Flux."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.completion import StackArgument
from breakeven.cli.files import OutputError, write_whole
from breakeven.manifests.resource import Resource
from breakeven.manifests.yaml_text import yaml_text
from breakeven.planning.checks import require_deployable
from breakeven.planning.offline import priced_manifests, read_stack

_OWN_CLUSTER, _MANAGEMENT_CLUSTER = "workload", "management"


def render(
    stack: StackArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write to, one file per resource. Default: print all resources as one "
            "YAML stream.",
        ),
    ] = None,
) -> None:
    """Print the Kubernetes manifests of a stack, for Argo CD or Flux.

    The manifests are those that `pulumi up` deploys. The folder is created if needed. Files from an
    earlier render of the same stack that are no longer needed are removed; other files are not
    touched. Secrets are referenced by name and are never part of the output.

    Example: breakeven render aws-prod --output deploy/aws-prod
    """
    resources = priced_manifests(stack, datetime.now(tz=UTC).date())
    require_deployable(stack, read_stack(stack))
    if output is None:
        typer.echo("".join(_documents(resources)), nl=False)
    else:
        typer.echo(_write(_files(stack, resources), output, stack))


def _documents(resources: Sequence[Resource]) -> list[str]:
    # The namespace first: its contents cannot be applied before it exists.
    ordered = sorted(resources, key=lambda each: (each.context, each.kind != "Namespace", each.key))
    return [f"---\n{_cluster(each)}{yaml_text(each.manifest)}" for each in ordered]


def _cluster(resource: Resource) -> str:
    if not resource.context:
        return ""
    return f"# For the management cluster: kubeconfig context {resource.context}\n"


def _files(stack: str, resources: Sequence[Resource]) -> Mapping[Path, str]:
    """Returns texts by path below the output folder; each of two clusters has a separate folder."""
    several = any(resource.context for resource in resources)
    files = {}
    for resource in resources:
        cluster = _MANAGEMENT_CLUSTER if resource.context else _OWN_CLUSTER
        folder = Path(cluster) if several else Path()
        name = f"{resource.kind.lower()}-{resource.name}.yaml"
        text = f"{_mark(stack)}{_cluster(resource)}{yaml_text(resource.manifest)}"
        files[folder / name] = text
    return files


def _mark(stack: str) -> str:
    """Returns the first line of every file, which identifies it for a later render."""
    return f"# Rendered by: breakeven render {stack}\n"


def _write(files: Mapping[Path, str], output: Path, stack: str) -> str:
    """Writes all files, then removes leftover files from an earlier render.

    Returns:
        A summary for the terminal.
    """
    for path in sorted(files):
        target = output / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"cannot create {target.parent}: {error.strerror}. Name another folder"
            raise OutputError(msg) from error
        write_whole(target, files[path])
    stale = _stale(files, output, stack)
    for path in stale:
        path.unlink()
    written = f"Wrote {len(files)} manifests to {output}"
    if not stale:
        return f"{written}."
    return f"{written}; removed {', '.join(str(path.relative_to(output)) for path in stale)}."


def _stale(files: Mapping[Path, str], output: Path, stack: str) -> list[Path]:
    mark = _mark(stack).encode()
    folders = (output, output / _OWN_CLUSTER, output / _MANAGEMENT_CLUSTER)
    found = [path for folder in folders for path in sorted(folder.glob("*.yaml"))]
    return [
        path
        for path in found
        if path.relative_to(output) not in files
        and path.is_file()
        and not path.is_symlink()
        and _begins_with(path, mark)
    ]


def _begins_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark
