"""The volume of the weights and the Job that fills it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from breakeven.manifests.serving.sizes import weights_volume_gib
from breakeven.manifests.serving.timings import NODE_START
from tests.recording import FETCHING, Registration, settings_of

Served = Callable[..., Registration]

OTHER_IMAGE = f"docker.io/vllm/vllm:v0.25.0@sha256:{'0' * 64}"
OTHER_REVISION = "0" * 40


def names(registration: Registration) -> tuple[str, str]:
    volume, job = registration.one("PersistentVolumeClaim"), registration.fetching
    return volume.metadata["name"], job.metadata["name"]


@pytest.mark.parametrize("stack", FETCHING)
def test_the_volume_is_as_the_settings_say(served: Served, stack: str) -> None:
    settings, volume = settings_of(stack), served(stack).one("PersistentVolumeClaim")
    assert volume.spec["accessModes"] == [settings.weights.access_mode]
    assert volume.spec["storageClassName"] == settings.weights.storage_class
    size = f"{weights_volume_gib(settings)}Gi"
    assert volume.spec["resources"]["requests"]["storage"] == size


@pytest.mark.parametrize("stack", FETCHING)
def test_a_volume_that_binds_with_its_first_pod_blocks_nothing(served: Served, stack: str) -> None:
    registration = served(stack)
    volume = registration.one("PersistentVolumeClaim")
    assert volume.metadata["annotations"]["pulumi.com/skipAwait"] == "true"
    [check] = [job for job in registration.of("Job") if job is not registration.fetching]
    assert check.depends_on(volume)
    assert registration.fetching.depends_on(check)


@pytest.mark.parametrize("stack", FETCHING)
def test_the_download_holds_no_gpu(served: Served, stack: str) -> None:
    resources = served(stack).fetching.container["resources"]
    assert not any("gpu" in name for part in resources.values() for name in part)


@pytest.mark.parametrize("stack", ["dev", "aws-prod"])
def test_the_download_starts_no_gpu_node(served: Served, stack: str) -> None:
    pod = served(stack).fetching.pod
    assert not pod.get("tolerations")
    assert not pod.get("nodeSelector")


@pytest.mark.parametrize("stack", ["article", "on-prem"])
def test_a_volume_of_one_node_is_filled_on_the_node_that_reads_it(
    served: Served, stack: str
) -> None:
    registration = served(stack)
    fetching, serving = registration.fetching.pod, registration.engine.pod
    assert fetching["nodeSelector"] == serving["nodeSelector"]
    assert fetching["tolerations"] == serving["tolerations"]


@pytest.mark.parametrize("stack", FETCHING)
def test_another_revision_gets_another_volume(served: Served, stack: str) -> None:
    # Replicas that still read the old one keep it until they are replaced.
    before, after = names(served(stack)), names(served(stack, **{"model.revision": OTHER_REVISION}))
    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("stack", FETCHING)
def test_another_image_runs_the_job_again(served: Served, stack: str) -> None:
    before, after = names(served(stack)), names(served(stack, **{"engine.image": OTHER_IMAGE}))
    assert before[1] != after[1]


@pytest.mark.parametrize(("stack", "kept"), [("aws-prod", True), ("on-prem", True), ("dev", False)])
def test_the_job_never_waits_for_a_volume_that_another_node_holds(
    served: Served, stack: str, kept: bool
) -> None:
    # It may look at the volume again where it can mount it: shared, or on the same node. In "dev"
    # a GPU node holds it and the Job runs on another, so it fills a new one.
    before, after = names(served(stack)), names(served(stack, **{"engine.image": OTHER_IMAGE}))
    assert (before[0] == after[0]) is kept


@pytest.mark.parametrize("stack", FETCHING)
def test_the_same_settings_give_the_same_names(served: Served, stack: str) -> None:
    assert names(served(stack)) == names(served(stack))


@pytest.mark.parametrize("stack", FETCHING)
def test_replicas_read_the_volume_that_the_job_fills(served: Served, stack: str) -> None:
    registration = served(stack)
    claims = {
        volume["persistentVolumeClaim"]["claimName"]
        for owner in (registration.fetching, registration.engine)
        for volume in owner.pod["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert claims == {registration.one("PersistentVolumeClaim").metadata["name"]}


@pytest.mark.parametrize("stack", FETCHING)
def test_the_hubs_token_comes_from_a_secret_where_there_is_one(served: Served, stack: str) -> None:
    environment = served(stack).fetching.container["env"]
    secret = settings_of(stack).weights.hub_token_secret
    tokens = [item["valueFrom"] for item in environment if item["name"] == "HF_TOKEN"]
    expected = [{"secretKeyRef": {"name": secret, "key": "token"}}] if secret else []
    assert tokens == expected


@pytest.mark.parametrize("stack", FETCHING)
def test_the_script_is_mounted_as_it_is_in_the_repository(served: Served, stack: str) -> None:
    registration = served(stack)
    [script] = [item for item in registration.of("ConfigMap") if "script" in item.name]
    [(name, text)] = script.inputs["data"].items()
    assert "snapshot_download" in text
    assert script.inputs["immutable"] is True
    job = registration.fetching
    assert job.container["command"] == ["python3", f"/script/{name}"]
    mounted = [item["configMap"]["name"] for item in job.pod["volumes"] if "configMap" in item]
    assert mounted == [script.metadata["name"]]


@pytest.mark.parametrize("stack", FETCHING)
def test_the_pod_that_downloads_is_restricted_too(served: Served, stack: str) -> None:
    pod = served(stack).fetching.pod
    [container] = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("stack", FETCHING)
def test_a_download_that_hangs_ends(served: Served, stack: str) -> None:
    job = served(stack).fetching
    deadline = job.spec["activeDeadlineSeconds"]
    assert job.timeout_seconds is not None
    assert job.timeout_seconds > deadline > 900
    # It stays when it has ended: removed, it would look like drift.
    assert "ttlSecondsAfterFinished" not in job.spec


@pytest.mark.parametrize("stack", FETCHING)
def test_a_pod_that_can_not_start_ends_the_update_within_twenty_minutes(
    served: Served, stack: str
) -> None:
    # A download may take hours, and a pod that waits for its image looks the same.
    registration = served(stack)
    [check] = [job for job in registration.of("Job") if job is not registration.fetching]
    assert NODE_START < check.spec["activeDeadlineSeconds"] <= 20 * 60
    assert check.timeout_seconds is not None
    assert check.timeout_seconds <= 20 * 60
    # Whatever keeps the download from starting keeps it from starting, too.
    [container] = check.pod["containers"]
    arguments = [each for each in container["args"] if each != "--check"]
    assert {**container, "args": arguments} == registration.fetching.container
    without = [
        {key: pod[key] for key in pod if key != "containers"}
        for pod in (check.pod, registration.fetching.pod)
    ]
    assert without[0] == without[1]


@pytest.mark.parametrize("stack", FETCHING)
def test_the_last_line_of_a_failed_download_is_in_the_pods_status(
    served: Served, stack: str
) -> None:
    container = served(stack).fetching.container
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


@pytest.mark.parametrize("stack", FETCHING)
def test_no_image_but_the_engines_is_needed(served: Served, stack: str) -> None:
    # Helper images of fixed names break mirrors and air gaps (LLMKube#127).
    registration, image = served(stack), settings_of(stack).engine.image
    for owner in (registration.engine, registration.fetching):
        assert owner.container["image"] == image
        assert "initContainers" not in owner.pod


@pytest.mark.parametrize("stack", FETCHING)
def test_no_node_is_taken_away_from_a_running_download(served: Served, stack: str) -> None:
    # Consolidating a node during the download restarted it (LLMKube#658, #660).
    annotations = served(stack).fetching.spec["template"]["metadata"]["annotations"]
    assert annotations["karpenter.sh/do-not-disrupt"] == "true"


@pytest.mark.parametrize("stack", ["dev", "aws-prod", "on-prem"])
def test_a_rollback_needs_no_download_and_replaces_no_volume(served: Served, stack: str) -> None:
    revision = settings_of(stack).model.revision
    after = served(stack, **{"model.revision": OTHER_REVISION, "model.previousRevision": revision})
    back = served(stack, **{"model.previousRevision": OTHER_REVISION})
    for kind in ("PersistentVolumeClaim", "Job"):
        # The same names in the program and in the cluster, with the same inputs: nothing changes.
        assert {(item.name, repr(item.inputs)) for item in after.of(kind)} == {
            (item.name, repr(item.inputs)) for item in back.of(kind)
        }
        assert len(after.of(kind)) == 2 * len(served(stack).of(kind))


def test_an_update_keeps_the_volume_of_the_replicas_that_it_replaces(served: Served) -> None:
    revision = settings_of("aws-prod").model.revision
    before = served("aws-prod").one("PersistentVolumeClaim")
    after = served(
        "aws-prod", **{"model.revision": OTHER_REVISION, "model.previousRevision": revision}
    )
    assert before.name in {item.name for item in after.of("PersistentVolumeClaim")}


def test_the_served_weights_are_those_of_the_revision(served: Served) -> None:
    after = served("aws-prod", **{"model.previousRevision": OTHER_REVISION})
    alone = served("aws-prod")
    assert repr(after.engine.pod) == repr(alone.engine.pod)
