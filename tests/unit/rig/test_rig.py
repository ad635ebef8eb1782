"""The rig ends what it started and nothing else, and says what a part died of."""

from __future__ import annotations

import json
import socket
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from bootstrap.console import SetupError
from breakeven.catalog.price_book import PriceBook
from breakeven.catalog.price_file import read_book
from breakeven.errors import UserError
from breakeven.settings.files import stack_names, stack_values
from breakeven.settings.parse import parse
from rig import certificates, cli, instance_types, kubeconfig, stack_needs
from rig.api import ApiError, path_of
from rig.cluster import Rig, stop_recorded
from rig.folder import Folder
from rig.part import Part, Process, start, stop, wait_until_ready
from rig.ports import Ports
from rig.running import read_processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def part(*command: str, ready: bool = False) -> Part:
    return Part(name="a-part", command=command, ready=lambda: ready)


def test_a_part_that_dies_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "a-part.log"
    dying = part(sys.executable, "-c", "print('first'); raise SystemExit('the port is mine')")
    process = start(dying, log)
    with pytest.raises(SetupError) as caught:
        wait_until_ready(dying, process, log, "make rig-stop rig")
    message = str(caught.value)
    assert "a-part ended while it was starting" in message
    assert "the port is mine" in message
    assert str(log) in message


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(SetupError, match=f"port {port} is taken"):
            start(replace(part(*SLEEP), ports=[port]), tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_stop_ends_what_was_started_and_says_so(tmp_path: Path) -> None:
    process = start(part(*SLEEP, ready=True), tmp_path / "log")
    assert process.running() is not None
    assert stop([process]) == ["a-part"]
    assert process.running() is None
    assert stop([process]) == []


def test_another_process_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    process = start(part(*SLEEP, ready=True), tmp_path / "log")
    impostor = Process(process.name, process.pid, process.started - 3600)
    assert impostor.running() is None
    assert stop([impostor]) == []
    assert process.running() is not None
    stop([process])


def test_a_second_rig_in_the_same_folder_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    process = start(part(*SLEEP, ready=True), tmp_path / "log")
    folder.processes.write_text(json.dumps([process.record()]), encoding="utf-8")
    assert read_processes(folder) == [process]
    with pytest.raises(SetupError, match="runs already") as caught:
        Rig.start(tmp_path, {}, tmp_path)
    assert "make rig-stop" in str(caught.value)
    assert stop_recorded(tmp_path) == ["a-part"]
    assert process.running() is None


def test_no_port_is_given_twice() -> None:
    ports = Ports()
    given = [ports.free() for _ in range(50)]
    assert len(set(given)) == len(given)


def test_certificates_are_valid_now_for_their_names_and_keys_are_private(tmp_path: Path) -> None:
    authority = certificates.Authority(tmp_path / "certificates", "ca")
    pair = authority.issue("tls", "localhost", hosts=["localhost", "127.0.0.1"])
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    issuer = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    certificate.verify_directly_issued_by(issuer)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    now = datetime.now(tz=UTC)
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
    assert pair.key.stat().st_mode & 0o077 == 0


def test_machines_and_prices_are_those_of_the_price_book(tmp_path: Path) -> None:
    file = tmp_path / "types.json"
    count = instance_types.write(file)
    types = {each["name"]: each for each in json.loads(file.read_text(encoding="utf-8"))}
    assert len(types) == count
    book = PriceBook.load(today=datetime.now(tz=UTC).date())
    machine = types["g6.xlarge"]
    assert machine["resources"]["nvidia.com/gpu"] == "1"
    price = book.node("aws", "us-east-1", "g6.xlarge", "on-demand")
    on_demand = [
        offering["Price"]
        for offering in machine["offerings"]
        if offering["Requirements"][0]["values"] == ["on-demand"]
    ]
    assert on_demand == [float(price.usd)] * len(instance_types.ZONES)


@pytest.mark.parametrize("stack", stack_names())
def test_every_machine_that_karpenter_may_start_for_a_stack_is_sold(stack: str) -> None:
    settings, _ = parse(stack_values(stack))
    if "karpenter.sh/v1:NodePool" in settings.pool.kind.custom_resources:
        book = read_book()
        sold = {
            machine["name"]
            for cloud, region in instance_types.REGIONS
            for machine in instance_types.machines(book, cloud, region)
        }
        assert set(settings.pool.instance_types) <= sold


@pytest.mark.parametrize("stack", stack_names())
def test_the_cluster_has_the_storage_class_and_the_nodes_of_each_stack(stack: str) -> None:
    read, _ = parse(stack_values(stack))
    needs = {(each["kind"], each["metadata"]["name"]) for each in stack_needs.manifests()}
    for model in read.models:
        assert ("StorageClass", model.weights.storage_class) in needs
    assert ("Namespace", read.monitoring.namespace) in needs
    if not read.pool.can_grow:
        nodes = [f"{stack}-{number}" for number in range(read.pool.node_count)]
        assert {("Node", name) for name in nodes} <= needs


@pytest.mark.parametrize("stack", stack_names())
def test_a_management_cluster_that_a_stack_names_is_a_context_of_the_kubeconfig(
    tmp_path: Path, stack: str
) -> None:
    authority = certificates.Authority(tmp_path, "ca")
    authority.issue("admin", "administrator")
    file = tmp_path / "kubeconfig"
    kubeconfig.write(file, "https://127.0.0.1:1", tmp_path, further=stack_needs.contexts())
    names = {each["name"] for each in yaml.safe_load(file.read_text())["contexts"]}
    settings, _ = parse(stack_values(stack))
    assert {kubeconfig.CONTEXT, settings.pool.cluster_api.context} - {""} <= names


def test_paths_of_objects_in_and_outside_namespaces() -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}
    assert path_of(node) == "/api/v1/nodes/a"
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": "b", "name": "a"},
    }
    assert path_of(deployment) == "/apis/apps/v1/namespaces/b/deployments/a"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ApiError(403, "forbidden"), "ApiError: 403: forbidden"),
        (TimeoutError("no webhook"), "TimeoutError: no webhook"),
        (UserError("Pulumi.odd.yaml is no YAML"), "Pulumi.odd.yaml is no YAML"),
    ],
)
def test_a_failed_start_is_one_message(
    error: Exception,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_arguments: object) -> None:
        raise error

    monkeypatch.setattr(cli, "_start", fail)
    assert cli.main(["start"]) == 1
    message = capsys.readouterr().err
    assert told in message
    assert "Traceback" not in message
