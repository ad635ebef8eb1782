"""Claims of the node's class get folders of the node, and lose them when they are released."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from node.standins import volumes
from rig.api import Api


class Cluster:
    """Lists of objects by path; what is applied and deleted is kept."""

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self.lists = lists
        self.applied: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def items(self, path: str) -> list[dict[str, Any]]:
        return self.lists.get(path.rpartition("/")[2], [])

    def apply(self, manifest: dict[str, Any]) -> None:
        self.applied.append(manifest)

    def delete(self, path: str) -> None:
        self.deleted.append(path)


CLASS: dict[str, Any] = {"metadata": {"name": "node-local"}, "provisioner": volumes.PROVISIONER}
CLAIM: dict[str, Any] = {
    "metadata": {"namespace": "llm", "name": "weights", "uid": "1"},
    "spec": {
        "storageClassName": "node-local",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "20Gi"}},
    },
    "status": {"phase": "Pending"},
}


def reconcile(cluster: Cluster, folder: Path) -> list[str]:
    api: Any = cluster
    made: Api = api
    return list(volumes.reconcile(made, folder))


def test_a_claim_that_waits_gets_a_folder_of_its_size_on_this_node(tmp_path: Path) -> None:
    cluster = Cluster(storageclasses=[CLASS], persistentvolumeclaims=[CLAIM])
    reconcile(cluster, tmp_path)
    [volume] = cluster.applied
    assert volume["spec"]["capacity"] == {"storage": "20Gi"}
    assert Path(volume["spec"]["local"]["path"]).is_dir()
    assert volume["spec"]["claimRef"]["uid"] == "1"


@pytest.mark.parametrize("phase", ["Released", "Failed"])
def test_a_volume_that_nobody_claims_any_more_is_deleted_with_its_files(
    tmp_path: Path, phase: str
) -> None:
    (tmp_path / "pvc-1").mkdir()
    volume = {
        "metadata": {"name": "pvc-1"},
        "spec": {"storageClassName": "node-local"},
        "status": {"phase": phase},
    }
    cluster = Cluster(storageclasses=[CLASS], persistentvolumes=[volume])
    assert reconcile(cluster, tmp_path) == ["deleted pvc-1"]
    assert cluster.deleted == ["/api/v1/persistentvolumes/pvc-1"]
    assert not (tmp_path / "pvc-1").exists()


def test_claims_of_other_classes_are_left_to_others(tmp_path: Path) -> None:
    other = {**CLAIM, "spec": {**CLAIM["spec"], "storageClassName": "gp3"}}
    cluster = Cluster(storageclasses=[CLASS], persistentvolumeclaims=[other])
    assert reconcile(cluster, tmp_path) == []
