"""The commands of `python tools/node`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from urllib3.exceptions import HTTPError

from bootstrap import node as built
from bootstrap import vllm
from bootstrap.cli import EXIT_INTERRUPTED, terminate
from bootstrap.console import Console, SetupError
from bootstrap.layout import Layout
from node import images, namespaces, needs
from node.cluster import Node
from node.places import Places
from node.starting import start
from rig.api import ApiError

EXAMPLES = """examples:
  python tools/node start     start the node (make node does this, after building what is missing)
  python tools/node start --nodes 2     the same with a second node (make node NODES=2)
  python tools/node check     whether this machine can have one; what is missing, and what gets it
  python tools/node built     whether all that it needs is built and made already (CI asks)
  python tools/node images    the images that it has, as stack files name them
  python tools/node stop      end it and all that runs in it (make node-stop)
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Returns:
        The exit code.
    """
    # As Ctrl-C does, it ends what was started so far.
    signal.signal(signal.SIGTERM, terminate)
    console = Console()
    parser = argparse.ArgumentParser(
        prog="python tools/node",
        description="A Kubernetes cluster whose node runs containers: kubelet, containerd, "
        "networks and their rules, in namespaces apart. Only GPUs are not there.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["start", *_COMMANDS], metavar="COMMAND")
    parser.add_argument("folder", nargs="?", type=Path, help=argparse.SUPPRESS)
    parser.add_argument(
        "--nodes",
        type=int,
        choices=(1, 2),
        default=1,
        help="how many nodes start makes (default: 1)",
    )
    options = parser.parse_args(arguments)
    layout = Layout.of(Path(__file__).resolve().parents[2], os.environ)
    places = Places.of(layout, options.folder)
    try:
        if options.command == "start":
            _start(layout, places, console, options.nodes)
        else:
            _COMMANDS[options.command](layout, places, console)
    except SetupError as error:
        console.error(error)
        return 1
    except (ApiError, TimeoutError, HTTPError) as error:
        console.error(
            SetupError(
                what="the node does not answer as it should",
                found=f"{type(error).__name__}: {error}",
                fix=[f"read the logs in {places.root / 'logs'}", "make node-stop node"],
            )
        )
        return 1
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _start(layout: Layout, places: Places, console: Console, nodes: int) -> None:
    needs.check(places.store)
    began = time.monotonic()
    node = start(layout, places, console, nodes=nodes)
    console.line(
        f"ready after {time.monotonic() - began:.1f} s; logs in {places.root / 'logs'}\n"
        "next:\n"
        f"  export KUBECONFIG={node.kubeconfig}\n"
        "  python tools/node images     what a stack's engine.image can be here\n"
        "to end it: make node-stop"
    )


def _inside(layout: Layout, places: Places, console: Console) -> None:
    """The part of a start that runs in the namespaces."""
    programs, definitions = built.find(layout)

    def with_images(node: Node) -> None:
        engine = vllm.find(layout)
        images.ensure(layout, places, programs, engine, stores=node.stores, say=node.say)

    Node.start(places, programs, definitions, before_pods=with_images, say=console.line)


def _check(_layout: Layout, places: Places, console: Console) -> None:
    needs.check(places.store)
    console.line("this machine can have a node")


def _built(layout: Layout, places: Places, console: Console) -> None:
    needs.check(places.store)
    programs, _ = built.find(layout)
    engine = vllm.find(layout)
    lacking = images.missing(layout, places, programs, engine)
    lacking += [] if engine else ["vLLM for CPUs"]
    if lacking:
        raise SetupError(
            what="images of the node are not all made",
            found=f"missing: {', '.join(lacking)}",
            fix=["make node"],
        )
    console.line("the node has all that it needs")


def _images(_layout: Layout, places: Places, _console: Console) -> None:
    # To standard output, unlike progress: people put one of them into a variable.
    for name in images.references(places):
        sys.stdout.write(f"{images.reference(places, name)}\n")


def _stop(_layout: Layout, places: Places, console: Console) -> None:
    console.line("ended" if namespaces.end(places) else "nothing was running")


_COMMANDS = {
    "check": _check,
    "built": _built,
    "images": _images,
    "stop": _stop,
    "inside": _inside,
}
