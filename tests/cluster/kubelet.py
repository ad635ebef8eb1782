"""Faults of a node, as its kubelet reports them: kwok simulates them with a Stage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rig.api import Api

OTHER_IMAGE = f"docker.io/vllm/vllm-openai:v0.19.0@sha256:{'0' * 64}"
"""An engine's image that no stack names."""

_STAGES = "/apis/kwok.x-k8s.io/v1alpha1/stages"

# Every second, as a kubelet tries again, so that it ends soon after the Stage is gone.
_AGAIN_MILLISECONDS = 1000

_STATUS = """
{{ $now := Now }}
phase: PHASE
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "False", reason: REASON, lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "False", lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  restartCount: 0
  state:
STATE
{{ end }}
"""

_NO_IMAGE = """
    waiting:
      reason: ImagePullBackOff
      message: {{ printf "Back-off pulling image %q: not found" .image | Quote }}
"""

_FAILED = """
    terminated:
      exitCode: 1
      reason: Error
      finishedAt: {{ $now | Quote }}
      {{ if eq .terminationMessagePolicy "FallbackToLogsOnError" }}
      message: |
        LAST_LINE
      {{ end }}
"""


_SAID = """
    terminated:
      exitCode: 0
      reason: Completed
      finishedAt: {{ $now | Quote }}
      message: MESSAGE
"""


@contextmanager
def no_image(api: Api, image: str) -> Iterator[None]:
    """Lets no node find an image."""
    status = _status("Pending", "ContainersNotReady", _NO_IMAGE)
    with _stage(api, {"key": ".spec.containers.[].image", "values": [image]}, status):
        yield


@contextmanager
def containers_fail(api: Api, component: str, last_line: str) -> Iterator[None]:
    """Lets the containers of a component end with status 1.

    Args:
        api: The cluster.
        component: Value of the label app.kubernetes.io/component.
        last_line: The last line of their logs, which a kubelet shows where the pod asks for it.
    """
    key = '.metadata.labels["app.kubernetes.io/component"]'
    status = _status("Failed", "PodFailed", _FAILED.replace("LAST_LINE", last_line))
    with _stage(api, {"key": key, "values": [component]}, status):
        yield


@contextmanager
def containers_say(api: Api, component: str, message: str) -> Iterator[None]:
    """Lets the containers of a component end with status 0.

    Args:
        api: The cluster.
        component: Value of the label app.kubernetes.io/component.
        message: What they write to /dev/termination-log.
    """
    key = '.metadata.labels["app.kubernetes.io/component"]'
    state = _SAID.replace("MESSAGE", json.dumps(message))
    status = _status("Succeeded", "PodCompleted", state)
    with _stage(api, {"key": key, "values": [component]}, status):
        yield


def _status(phase: str, reason: str, state: str) -> str:
    """Returns the template of a pod's status, all of whose containers are in a state."""
    status = _STATUS.replace("PHASE", phase).replace("REASON", reason)
    return status.replace("STATE", state.strip("\n"))


@contextmanager
def _stage(api: Api, selected: dict[str, Any], status: str) -> Iterator[None]:
    name = "fault"
    api.apply(
        {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "Stage",
            "metadata": {"name": name},
            "spec": {
                "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
                "selector": {
                    "matchExpressions": [
                        {**selected, "operator": "In"},
                        {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"},
                        {"key": ".status.phase", "operator": "In", "values": ["Pending"]},
                    ]
                },
                # The stages of good days have no weight, so this one is always taken.
                "weight": 1,
                "delay": {"durationMilliseconds": _AGAIN_MILLISECONDS},
                "next": {"statusTemplate": status},
            },
        }
    )
    try:
        yield
    finally:
        api.delete(f"{_STAGES}/{name}")
