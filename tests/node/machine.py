"""What a node could leave on the machine: processes, mounts, groups, networks, system settings."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

_SETTINGS = ("kernel", "vm", "net/ipv4", "net/netfilter", "net/bridge", "fs")
# These count, or change by themselves while a machine works.
_UNSTEADY = (
    "random/",
    "pty/nr",
    "inode-",
    "dentry-state",
    "file-nr",
    "nf_conntrack_count",
    "quota/",
)
_UNSTEADY_FILES = ("ns_last_pid", "aio-nr", "perf_event_max_sample_rate", "max_newidle_lb_cost")
_NODE_PROGRAMS = frozenset(
    (
        *("containerd", "containerd-shim-runc-v2", "runc", "kubelet", "kube-proxy", "kube-router"),
        *("device-plugin", "coredns", "pause", "unshare"),
    )
)


def processes() -> set[tuple[int, str]]:
    """Programs of a node that run; a zombie has ended."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            if process.name() in _NODE_PROGRAMS and process.status() != psutil.STATUS_ZOMBIE:
                found.add((process.pid, process.name()))
    return found


def mounts() -> set[str]:
    """Everything that is mounted."""
    return set(Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines())


def networks() -> set[str]:
    """Interfaces and routes."""
    commands = (["ip", "-brief", "link"], ["ip", "route", "show", "table", "all"])
    return {
        line.strip()
        for command in commands
        for line in subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout.splitlines()
    }


def groups() -> set[str]:
    """Control groups that a node makes."""
    names = ("breakeven-node", "breakeven-node-1", "k8s.io")
    return {str(path) for name in names for path in Path("/sys/fs/cgroup").glob(f"*/{name}")}


def settings() -> dict[str, str]:
    """System settings that do not change by themselves."""
    root = Path("/proc/sys")
    found = {}
    for folder in _SETTINGS:
        for path in (root / folder).rglob("*"):
            name = str(path.relative_to(root))
            steady = not any(part in name for part in _UNSTEADY)
            if path.is_file() and steady and path.name not in _UNSTEADY_FILES:
                with suppress(OSError, UnicodeDecodeError):
                    found[name] = path.read_text(encoding="utf-8")
    return found


def snapshot() -> dict[str, dict[str, str]]:
    """Everything that a node could leave or change, by what it is."""
    return {
        "processes": {f"{name} {pid}": "" for pid, name in processes()},
        "mounts": dict.fromkeys(mounts(), ""),
        "networks": dict.fromkeys(networks(), ""),
        "groups": dict.fromkeys(groups(), ""),
        "settings": settings(),
    }


def differences(before: dict[str, dict[str, str]]) -> list[str]:
    """What is there now and was not, or is otherwise than it was."""
    return [
        f"{kind}: {name} {value}".strip()
        for kind, now in snapshot().items()
        for name, value in now.items()
        if before[kind].get(name) != value
    ]
