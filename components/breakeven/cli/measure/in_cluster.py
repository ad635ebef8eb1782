"""Measures a replica from inside its cluster, by Jobs in the stack's namespace."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import typer

from breakeven.cli.measure.options import MeasureError
from breakeven.cli.measure.sweep import Run
from breakeven.cluster.connection import connect
from breakeven.cluster.measuring.run import InCluster, find_replica
from breakeven.manifests.render import render
from breakeven.measurements.guidellm import GRACE_SECONDS, Load, configuration
from breakeven.planning.offline import LoadedStack, read_stack
from breakeven.settings.stack import Settings

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the load is generated in the cluster; see the options of `breakeven measure`."""

    image: str | None
    kubeconfig: Path | None
    context: str | None


@dataclass(frozen=True, slots=True)
class Inside:
    """What is measured from inside the cluster.

    Attributes:
        run: Runs one step.
        target: Address of the replica.
        tokenizer: Folder with its tokenizer, in the pod of the load.
    """

    run: Run
    target: str
    tokenizer: str


def inside(stack: str, loaded: LoadedStack, place: Place) -> Inside:
    """Finds a ready replica, and what measures it.

    Args:
        stack: Name of the stack.
        loaded: The same, of one model.
        place: Where.

    Raises:
        MeasureError: The image is not named by its digest.
        ClusterError: The cluster cannot be used, or no replica is ready.
    """
    image = _image(place.image)
    settings: Settings = loaded.settings
    cluster = connect(place.kubeconfig, place.context)
    manifests = {
        f"{each.kind}/{each.manifest['metadata']['name']}": each.manifest
        for each in render(read_stack(stack))
        if each.kind in {"Deployment", "LeaderWorkerSet"}
    }
    replica = find_replica(cluster, settings, manifests)
    typer.echo(
        f"Replica {replica.pod} in namespace {settings.network.namespace} on {cluster.context}. "
        "Requests of your users that it gets meanwhile make it look slower.",
        err=True,
    )
    jobs = InCluster(cluster=cluster, settings=settings, replica=replica, image=image)

    def run_step(load: Load, concurrency: int, result: Path) -> None:
        # The script in the pod says where the result goes, and adds the key.
        stated = configuration(load, concurrency, Path("result.json"), "")
        said = jobs.run(stated, load.seconds + GRACE_SECONDS)
        beside = result.with_name(f".{result.name}.new")
        beside.write_text(said, encoding="utf-8")
        beside.replace(result)

    return Inside(run_step, replica.address, replica.tokenizer)


def _image(image: str | None) -> str:
    if image is None or not _DIGEST.search(image):
        found = "is missing" if image is None else f"{image} has no digest"
        msg = (
            f"--image {found}. Needed: an image with guidellm by digest, such as "
            "ghcr.io/vllm-project/guidellm:v0.8.1@sha256:DIGEST; see it with: "
            "docker buildx imagetools inspect ghcr.io/vllm-project/guidellm:v0.8.1"
        )
        raise MeasureError(msg)
    return image
