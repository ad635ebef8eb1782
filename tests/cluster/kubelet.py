"""What goes wrong on a node, as its kubelet reports it: kwok is told to by a Stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rig.api import Api

_STAGES = "/apis/kwok.x-k8s.io/v1alpha1/stages"

# Every second, as a kubelet tries again, so that it ends soon after the Stage is gone.
_AGAIN_MILLISECONDS = 1000

_NO_IMAGE = """
{{ $now := Now }}
phase: Pending
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "False", reason: ContainersNotReady, lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "False", lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  restartCount: 0
  state:
    waiting:
      reason: ImagePullBackOff
      message: {{ printf "Back-off pulling image %q: not found" .image | Quote }}
{{ end }}
"""

_FAILED = """
{{ $now := Now }}
phase: Failed
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "False", reason: PodFailed, lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "False", lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  restartCount: 0
  state:
    terminated:
      exitCode: 1
      reason: Error
      finishedAt: {{ $now | Quote }}
      {{ if eq .terminationMessagePolicy "FallbackToLogsOnError" }}
      message: |
        LAST_LINE
      {{ end }}
{{ end }}
"""


@contextmanager
def no_image(api: Api, image: str) -> Iterator[None]:
    """Lets no node find an image."""
    with _stage(api, {"key": ".spec.containers.[].image", "values": [image]}, _NO_IMAGE):
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
    template = _FAILED.replace("LAST_LINE", last_line)
    with _stage(api, {"key": key, "values": [component]}, template):
        yield


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
