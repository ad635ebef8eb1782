"""Time limits of starting, stopping and rolling out, in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass

from breakeven.settings.stack import Settings

PROBE_PERIOD = 10

# Between the pod's leaving the Service's endpoints and the signal to stop, after which vLLM refuses
# what is new. KServe and llm-d give load balancers 15 s to notice.
PRE_STOP = 15

# The request guard ends what runs too long; vLLM's own clock, after which streams hang without a
# word (seen with vLLM 0.32), must not come first.
GUARD_MARGIN = 5

# From the last answer until the process is gone: 4.4 s seen with vLLM 0.32; llm-d allows 15 s.
EXIT_MARGIN = 15

# Compilation, CUDA graphs and the profiling run. 166 s of torch.compile alone were reported for a
# cold cache (talos-argocd-proxmox#1848); a model of two layers took 22 to 29 s on CPUs.
ENGINE_START = 300

# The probe only has to end a start that hangs. Too short a budget kills slow starts every time
# (kserve#5062, kubeai#172, aibrix#782), and replicas that start together share the volume's speed.
START_SAFETY_FACTOR = 2

# Seconds of silence after which a node counts as lost and its replicas are made elsewhere. Calls go
# to the others before that; this says when what takes minutes begins. Kubernetes' value is 300 s.
NODE_LOST = 60

# A machine starts, joins, and pulls an image of some 10 GB.
NODE_START = 900

# The two above bound a wait. What a start is expected to take decides how fast replicas are added,
# and what a start costs: a cloud's GPU node until it takes pods, image pull included, and from
# loaded weights to the first token with a warm compile cache. Both are estimates.
EXPECTED_NODE_START = 180
EXPECTED_ENGINE_START = 90

_LONGEST_POLICY_PERIOD = 1800  # the API server's limit (autoscaling/v2 HPAScalingPolicy)

# For a pod to start and see whether the weights can be fetched: the machine and the image, and a
# minute for the hub's answers.
CHECK = NODE_START + 60

# A slow line, 160 Mbit/s; only bounds the wait.
_DOWNLOAD_BYTES_PER_SECOND = 20e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Time limits of the pods, in seconds.

    Attributes:
        pre_stop: From leaving the endpoints to the signal to stop.
        longest_request: For running requests to end, after the signal; then the guard ends them.
        drain: vLLM's own clock for the same.
        grace: From the decision to stop to the kill.
        startup_budget: From the container's start to its first answer.
        rollout: For replacing all replicas, one after another.
    """

    pre_stop: int
    longest_request: int
    drain: int
    grace: int
    startup_budget: int
    rollout: int

    def __post_init__(self) -> None:
        # A kill before the end of the drain cuts answers.
        if self.grace < self.pre_stop + self.drain + EXIT_MARGIN:
            msg = (
                f"grace {self.grace} s is less than preStop {self.pre_stop} s "
                f"+ drain {self.drain} s + {EXIT_MARGIN} s"
            )
            raise ValueError(msg)


def replica_start(settings: Settings, *, new_node: bool | None = None) -> float:
    """Returns the expected seconds from the decision to add a replica to its first token.

    Args:
        settings: The stack's settings.
        new_node: Whether a node is started for it; None for the pool's behavior.
    """
    started = settings.pool.can_grow if new_node is None else new_node
    return start_after_reading(settings.weights_read_seconds, new_node=started)


def start_after_reading(seconds: float, *, new_node: bool) -> float:
    """Returns the same for a replica that reads its weights for so many seconds.

    Args:
        seconds: To read them from the volume.
        new_node: Whether a node is started for it.
    """
    return (EXPECTED_NODE_START if new_node else 0) + seconds + EXPECTED_ENGINE_START


def stopping_seconds(settings: Settings) -> int:
    """Returns the seconds from the decision to stop a replica to the end of its last request."""
    return PRE_STOP + settings.engine.longest_request_seconds


def scale_up_period(settings: Settings) -> int:
    """Returns the period within which the autoscaler may double the replicas, in seconds.

    As long as a start takes, requests go on waiting for the replicas that were asked for; an
    autoscaler that asks for more every 15 seconds meanwhile buys up to three times the nodes
    that the load needs (docs/simulation.md).
    """
    return doubling_period(replica_start(settings))


def doubling_period(start_seconds: float) -> int:
    """Returns the same for a start time of 15 to 1,800 s."""
    return min(max(math.ceil(start_seconds), 15), _LONGEST_POLICY_PERIOD)


def timings_of(settings: Settings) -> Timings:
    """Computes the limits from a stack's model, volume and longest request."""
    read = settings.weights_read_seconds
    budget = math.ceil((read + ENGINE_START) * START_SAFETY_FACTOR / PROBE_PERIOD) * PROBE_PERIOD
    longest = settings.engine.longest_request_seconds
    drain = longest + GUARD_MARGIN
    kill = PRE_STOP + drain + EXIT_MARGIN
    return Timings(
        pre_stop=PRE_STOP,
        longest_request=longest,
        drain=drain,
        grace=kill,
        startup_budget=budget,
        rollout=settings.replicas.max * (budget + kill) + NODE_START,
    )


def download_seconds(file_bytes: int) -> int:
    """Returns the maximum seconds of a download, from the start of its machine."""
    return math.ceil(file_bytes / _DOWNLOAD_BYTES_PER_SECOND) + NODE_START
