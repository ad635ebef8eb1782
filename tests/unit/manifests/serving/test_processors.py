"""A replica on a node's processors asks for no device, and bounds its memory in bytes."""

from __future__ import annotations

from tests.recording import register_stack, stack_of

PROCESSORS = register_stack(stack_of("laptop")).engine


def test_no_gpu_is_asked_for_or_tolerated() -> None:
    for amounts in PROCESSORS.container["resources"].values():
        assert set(amounts) <= {"cpu", "memory", "ephemeral-storage"}
    assert PROCESSORS.pod["nodeSelector"] == {"kubernetes.io/os": "linux"}
    tolerated = [each["key"] for each in PROCESSORS.pod.get("tolerations", [])]
    assert not [key for key in tolerated if key.endswith("/gpu")]


def test_the_engine_takes_no_share_of_a_machine_that_others_use() -> None:
    flags = dict(flag.partition("=")[::2] for flag in PROCESSORS.container["args"])
    assert "--gpu-memory-utilization" not in flags
    assert int(flags["--kv-cache-memory-bytes"]) > 0
    assert flags["--dtype"] == "bfloat16"
