"""The pod that serves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from breakeven.manifests.serving.timings import timings_of
from tests.recording import STACKS, Registration, settings_of

Served = Callable[..., Registration]

pytestmark = pytest.mark.parametrize("stack", STACKS)


def flags_of(container: Any) -> dict[str, str]:
    path, *flags = container["args"]
    pairs = [flag.partition("=") for flag in flags]
    return {"path": path, **{name: value for name, _, value in pairs}}


def plain_environment(container: Any) -> dict[str, str]:
    return {item["name"]: item["value"] for item in container["env"] if "value" in item}


def test_it_serves_the_pinned_revision_under_the_models_name(served: Served, stack: str) -> None:
    settings, container = settings_of(stack), served(stack).engine.container
    flags = flags_of(container)
    # An absolute path: several versions of vLLM ask the hub for a name even when offline.
    assert flags["path"] == f"/weights/{settings.model.revision}"
    assert flags["--served-model-name"] == settings.model.facts.name
    assert flags["--tensor-parallel-size"] == str(settings.engine.tensor_parallel)
    assert flags["--max-model-len"] == str(settings.model.max_length)
    assert flags.get("--gpu-memory-utilization") == (None if settings.pool.gpu.is_cpu else "0.90")
    assert flags["--dtype"] == "bfloat16"
    assert container["command"] == ["vllm", "serve"]
    assert container["image"] == settings.engine.image


def test_only_fp8_is_quantised_while_loading(served: Served, stack: str) -> None:
    flags = flags_of(served(stack).engine.container)
    model = settings_of(stack).model
    # A repository that stores fp8 says so itself.
    fp8 = model.precision == "fp8" and not model.repository.endswith("-FP8")
    assert flags.get("--quantization") == ("fp8" if fp8 else None)


def test_code_and_pickles_are_never_loaded(served: Served, stack: str) -> None:
    flags = flags_of(served(stack).engine.container)
    assert flags["--load-format"] == "safetensors"
    assert "--trust-remote-code" not in flags


def test_the_key_is_in_no_flag_and_in_no_state(served: Served, stack: str) -> None:
    # Flags can be read in the list of processes.
    container = served(stack).engine.container
    assert "--api-key" not in flags_of(container)
    [key] = [item for item in container["env"] if item["name"] == "VLLM_API_KEY"]
    secret = settings_of(stack).engine.api_key_secret
    assert key == {
        "name": "VLLM_API_KEY",
        "valueFrom": {"secretKeyRef": {"name": secret, "key": "api-key"}},
    }


def test_no_path_of_the_engine_answers_without_the_key(served: Served, stack: str) -> None:
    # vLLM asks for it on some paths only: /invocations generates text for anybody.
    registration = served(stack)
    deployment = registration.engine
    container = deployment.container
    assert flags_of(container)["--middleware"] == "request_guard.RequestGuard"
    assert plain_environment(container)["PYTHONPATH"] == "/guard"
    [config] = [item for item in registration.of("ConfigMap") if "guard" in item.name]
    assert "class RequestGuard" in config.inputs["data"]["request_guard.py"]
    assert config.inputs["immutable"] is True
    volumes = {volume["name"]: volume for volume in deployment.pod["volumes"]}
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert volumes["guard"]["configMap"]["name"] == config.metadata["name"]
    assert mounts["guard"] == {"name": "guard", "mountPath": "/guard", "readOnly": True}
    assert deployment.depends_on(config)


def test_the_hook_that_lets_a_replica_leave_is_the_guards(served: Served, stack: str) -> None:
    registration = served(stack)
    container = registration.engine.container
    command = container["lifecycle"]["preStop"]["exec"]["command"]
    assert command[:2] == ["python3", "/guard/leave.py"]
    assert f"--port={int(container['ports'][0]['containerPort'])}" in command
    [config] = [item for item in registration.of("ConfigMap") if "guard" in item.name]
    assert "leave.py" in config.inputs["data"]
    # Guard and hook meet in a folder that the container can write to.
    folder = plain_environment(container)["REQUEST_GUARD_FOLDER"]
    writable = [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")]
    assert folder in writable


def test_nothing_is_reported_and_nothing_is_fetched(served: Served, stack: str) -> None:
    container = served(stack).engine.container
    environment = plain_environment(container)
    # vLLM compares with "1"; "true" would leave its reports on.
    assert environment["VLLM_NO_USAGE_STATS"] == "1"
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["HF_HUB_OFFLINE"] == "1"
    assert environment["TRANSFORMERS_OFFLINE"] == "1"
    assert environment["HF_HUB_DISABLE_TELEMETRY"] == "1"
    assert "HF_TOKEN" not in {item["name"] for item in container["env"]}


def test_idle_connections_are_closed_by_callers_first(served: Served, stack: str) -> None:
    environment = plain_environment(served(stack).engine.container)
    # Longer than any of them: nginx and AWS load balancers 60 s, Go 90 s, aiohttp 15 s, httpx 5 s.
    assert int(environment["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"]) > 90


def test_requests_in_flight_end_before_the_pod_does(served: Served, stack: str) -> None:
    # Dropped on every rollout elsewhere: vllm#24885, kserve#5496, llm-d#927, aibrix#553.
    timings, pod = timings_of(settings_of(stack)), served(stack).engine.pod
    [container] = pod["containers"]
    command = container["lifecycle"]["preStop"]["exec"]["command"]
    [pre_stop] = [int(part[10:]) for part in command if part.startswith("--seconds=")]
    drain = int(flags_of(container)["--shutdown-timeout"])
    longest = settings_of(stack).engine.longest_request_seconds
    assert plain_environment(container)["REQUEST_GUARD_SECONDS"] == str(longest)
    # What runs too long is ended by the guard, with an error, before vLLM lets it hang.
    assert drain > longest
    assert pre_stop >= 15
    assert pod["terminationGracePeriodSeconds"] == timings.grace >= pre_stop + drain + 15


def test_a_slow_start_is_not_killed_by_any_clock(served: Served, stack: str) -> None:
    timings, deployment = timings_of(settings_of(stack)), served(stack).engine
    container = deployment.container
    probe = container["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == timings.startup_budget
    # vLLM's own timeout is 600 s unless it is set (vllm#35616).
    environment = plain_environment(container)
    assert environment["VLLM_ENGINE_READY_TIMEOUT_S"] == str(timings.startup_budget)
    if deployment.kind == "Deployment":
        assert deployment.spec["progressDeadlineSeconds"] > timings.startup_budget
    assert deployment.timeout_seconds == timings.rollout


def test_probes_ask_what_needs_no_key(served: Served, stack: str) -> None:
    container = served(stack).engine.container
    scheme = {"scheme": "HTTPS"} if "--enable-ssl-refresh" in container["args"] else {}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/health", "port": "http", **scheme}


def test_a_replica_leaves_rotation_fast_and_is_restarted_late(served: Served, stack: str) -> None:
    container = served(stack).engine.container
    readiness, liveness = container["readinessProbe"], container["livenessProbe"]
    assert readiness["periodSeconds"] * readiness["failureThreshold"] == 15
    assert liveness["periodSeconds"] * liveness["failureThreshold"] == 60


def test_a_service_can_not_break_the_port_variable(served: Served, stack: str) -> None:
    # VLLM_PORT=tcp://… from a Service called "vllm" ends vLLM at once (vllm#34199).
    registration = served(stack)
    assert registration.engine.pod["enableServiceLinks"] is False
    assert registration.one("Service").metadata["name"] != "vllm"


def test_it_asks_for_the_gpus_of_one_replica_and_for_no_cpu_limit(
    served: Served, stack: str
) -> None:
    resources, settings = served(stack).engine.container["resources"], settings_of(stack)
    gpus = None if settings.pool.gpu.is_cpu else str(settings.engine.tensor_parallel)
    assert resources["limits"].get("nvidia.com/gpu") == gpus
    assert resources["requests"].get("nvidia.com/gpu") == gpus
    assert "cpu" not in resources["limits"]


def test_the_pod_is_restricted(served: Served, stack: str) -> None:
    # Unsafe defaults elsewhere: kserve#5301, vllm#23052.
    pod = served(stack).engine.pod
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    context = pod["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] >= 10_000
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert context["fsGroupChangePolicy"] == "OnRootMismatch"
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_user_that_the_image_does_not_know_has_name_and_home(served: Served, stack: str) -> None:
    # torch asks for the user's name on import and dies without one (vllm#44548); "/" is not
    # writable (llm-d#1430).
    environment = plain_environment(served(stack).engine.container)
    assert environment["USER"]
    assert environment["LOGNAME"]
    mounts = served(stack).engine.container["volumeMounts"]
    writable = [mount["mountPath"] for mount in mounts if not mount.get("readOnly")]
    folders = [name for name in environment if re.search("HOME$|_DIR$|_ROOT$", name)]
    assert "HOME" in folders
    for name in folders:
        assert any(environment[name].startswith(path) for path in writable), name


def test_weights_are_read_only_and_caches_are_the_pods_own(served: Served, stack: str) -> None:
    pod = served(stack).engine.pod
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["name"]: mount for mount in pod["containers"][0]["volumeMounts"]}
    assert volumes["weights"]["persistentVolumeClaim"]["readOnly"] is True
    assert mounts["weights"]["readOnly"] is True
    assert volumes["cache"]["emptyDir"]["sizeLimit"]
    assert volumes["shared-memory"]["emptyDir"]["medium"] == "Memory"
    assert volumes["shared-memory"]["emptyDir"]["sizeLimit"]
    assert mounts["shared-memory"]["mountPath"] == "/dev/shm"


def test_replicas_spread_without_buying_nodes_for_it(served: Served, stack: str) -> None:
    constraints = served(stack).engine.pod["topologySpreadConstraints"]
    assert {item["topologyKey"] for item in constraints} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    assert {item["whenUnsatisfiable"] for item in constraints} == {"ScheduleAnyway"}


def test_its_own_address_needs_no_network(served: Served, stack: str) -> None:
    container = served(stack).engine.container
    [address] = [item for item in container["env"] if item["name"] == "VLLM_HOST_IP"]
    assert address["valueFrom"] == {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}


def test_opencost_can_tell_whose_tokens_they_are(served: Served, stack: str) -> None:
    labels = served(stack).engine.template["metadata"]["labels"]
    assert labels["llm-d.ai/model"] == settings_of(stack).model.facts.name


def test_a_lost_nodes_replica_is_made_anew_after_a_minute_where_there_is_room_for_it(
    served: Served, stack: str
) -> None:
    pod = served(stack).engine.pod
    given_up = {
        each["key"]: each["tolerationSeconds"]
        for each in pod["tolerations"]
        if each.get("effect") == "NoExecute"
    }
    lost = {f"node.kubernetes.io/{state}": 60 for state in ("not-ready", "unreachable")}
    assert given_up == (lost if settings_of(stack).has_spare_gpus else {})
