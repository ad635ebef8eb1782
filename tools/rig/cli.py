"""The commands of `python tools/rig`."""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from urllib3.exceptions import HTTPError

from bootstrap import cluster as built
from bootstrap.cli import EXIT_INTERRUPTED, terminate
from bootstrap.console import Console, SetupError
from bootstrap.layout import Layout
from breakeven.errors import UserError
from rig.api import ApiError
from rig.cluster import AGAIN, Rig, stop_recorded
from rig.folder import Folder
from rig.running import dead, read_processes

RIG_FOLDER = "rig"

EXAMPLES = """examples:
  python tools/rig start     start the cluster (make rig does this, after building what is missing)
  python tools/rig status    which parts run; exit code 1 when one does not
  python tools/rig stop      end its processes, and no others (make rig-stop)
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
        prog="python tools/rig",
        description="A Kubernetes cluster on this machine: a real control plane and autoscalers, "
        "simulated machines.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["start", "status", "stop"])
    command = parser.parse_args(arguments).command
    layout = Layout.of(Path(__file__).resolve().parents[2], os.environ)
    root = layout.state / RIG_FOLDER
    try:
        if command == "start":
            _start(layout, root, console)
        elif command == "status":
            _status(root, console)
        else:
            _stop(root, console)
    except SetupError as error:
        console.error(error)
        return 1
    except UserError as error:  # a stack file, whose pool says what the rig has to define
        console.error(SetupError(what=str(error)))
        return 1
    except (ApiError, TimeoutError, HTTPError) as error:
        console.error(_no_answer(error, Folder(root.absolute())))
        return 1
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _no_answer(error: Exception, folder: Folder) -> SetupError:
    return SetupError(
        what="the cluster does not answer as it should, and what was started was ended",
        found=f"{type(error).__name__}: {error}",
        fix=[f"read the logs in {folder.logs}", "make rig"],
    )


def _start(layout: Layout, root: Path, console: Console) -> None:
    programs, definitions = built.find(layout)
    began = time.monotonic()
    rig = Rig.start(root, programs, definitions, say=console.line)
    console.line(
        f"ready after {time.monotonic() - began:.1f} s; logs in {rig.folder.logs}\n"
        f"Prometheus: {rig.prometheus}\n"
        "next:\n"
        f"  export KUBECONFIG={rig.kubeconfig}\n"
        "  make up STACK=dev\n"
        "to end it: make destroy STACK=dev, then make rig-stop"
    )


def _status(root: Path, console: Console) -> None:
    folder = Folder(root.absolute())
    processes = read_processes(folder)
    if not processes:
        raise SetupError(what="no cluster was started here", fix=["make rig"])
    for process in processes:
        if process.running() is None:
            raise dead(folder, process, AGAIN)
        console.line(f"{process.name}: process {process.pid}")


def _stop(root: Path, console: Console) -> None:
    ended = stop_recorded(root)
    console.line(f"ended: {', '.join(ended)}" if ended else "nothing was running")
