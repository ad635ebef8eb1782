"""Ends programs that a command has started, and what those started."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

_SECONDS = 10


def stop(child: subprocess.Popen[Any], *signals: signal.Signals) -> None:
    """Ends a program and its process group; what ended already stays ended.

    Args:
        child: The leader of a session of its own.
        signals: Sent in turn, each if it still runs 10 seconds after the one before.
    """
    for each in signals:
        if child.poll() is not None:
            return
        os.killpg(child.pid, each)
        try:
            child.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            continue
