"""Where GPU nodes come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_snake

from breakeven.catalog.gpus import Gpu, device_names, find_gpu
from breakeven.catalog.pool_kinds import POOL_KINDS, PoolKind
from breakeven.settings.fields import (
    LABEL,
    Conflict,
    Form,
    Group,
    Integer,
    KubernetesName,
    Labels,
    List,
    MachineType,
    Number,
    OptionalKubernetesName,
    Text,
    matching,
    one_of,
)

_TEMPLATE = (
    r"(?P<group>[a-z0-9]([-a-z0-9.]*[a-z0-9])?\.[a-z]+)/(?P<kind>[A-Z][A-Za-z0-9]*Template)"
    r"/(?P<name>[a-z0-9]([-a-z0-9.]*[a-z0-9])?)"
)


class ClusterApiTemplate(BaseModel):
    """A template in the management cluster that machines are made from; all empty for none."""

    model_config = ConfigDict(frozen=True)

    group: str = ""
    kind: str = ""
    name: str = ""


def _template(text: str) -> ClusterApiTemplate:
    found = re.fullmatch(_TEMPLATE, text, re.ASCII)
    if found is None:
        raise ValueError(text)
    return ClusterApiTemplate(group=found["group"], kind=found["kind"], name=found["name"])


_NO_TEMPLATE = ClusterApiTemplate()
_Template = Annotated[
    ClusterApiTemplate,
    Form(
        _template,
        allowed="GROUP/KIND/NAME of a template, such as "
        "bootstrap.cluster.x-k8s.io/KubeadmConfigTemplate/gpu-workers",
        pattern=r"[a-z0-9][-a-z0-9.]*/[A-Z][A-Za-z0-9]*Template/[a-z0-9][-a-z0-9.]*",
        empty=_NO_TEMPLATE,
    ),
]


class KarpenterSettings(Group):
    """How Karpenter on EKS makes nodes."""

    node_role: Text = Field(
        default="", description="Pool karpenter-aws: IAM role name of the nodes"
    )
    discovery_tag: Text = Field(
        default="",
        description="Pool karpenter-aws: value of the tag karpenter.sh/discovery on subnets "
        "and security groups",
    )
    node_image: Annotated[
        str,
        matching(
            r"(al2023|bottlerocket)@v[0-9.]+",
            "al2023@vRELEASE or bottlerocket@vRELEASE; latest would replace every node on the "
            "next release, without a preview",
        ),
    ] = Field(
        default="al2023@v20260903",
        description="Pool karpenter-aws: EKS image alias, family@release; a release has images "
        "for the Kubernetes versions current at that time",
    )


class GkeSettings(Group):
    """What a GKE compute class uses."""

    reservations: Annotated[
        tuple[Annotated[str, matching(LABEL, "names of Compute Engine reservations")], ...], List
    ] = Field(
        default=(),
        description="Pool gke-compute-class with reserved in pool.capacityTypes: names of the"
        " reservations",
    )
    service_account: Annotated[
        str,
        matching(
            r"[a-z0-9-]+@[a-z0-9.-]+\.iam\.gserviceaccount\.com",
            "NAME@PROJECT.iam.gserviceaccount.com",
            empty="",
        ),
    ] = Field(
        default="",
        description="Pool gke-compute-class: service account of the nodes, "
        "NAME@PROJECT.iam.gserviceaccount.com; empty for the cluster's default",
    )


class ClusterApiSettings(Group):
    """Where Cluster API runs, and what its machines are made from."""

    context: Text = Field(
        default="",
        description="Pool cluster-api: kubeconfig context of the management cluster; empty if"
        " the cluster manages itself",
    )
    cluster: OptionalKubernetesName = Field(
        default="",
        description="Pool cluster-api: name of the Cluster that gets the machines",
    )
    namespace: KubernetesName = Field(
        default="default",
        description="Pool cluster-api: namespace of that Cluster in the management cluster",
    )
    version: Annotated[
        str,
        matching(r"v1\.\d+\.\d+", "a Kubernetes version such as v1.35.4", empty=""),
    ] = Field(
        default="",
        description="Pool cluster-api: Kubernetes version of the machines, such as v1.35.4",
    )
    bootstrap_template: _Template = Field(
        default=_NO_TEMPLATE,
        description="Pool cluster-api: GROUP/KIND/NAME of the bootstrap template, with the taint "
        "nvidia.com/gpu",
    )
    machine_template: _Template = Field(
        default=_NO_TEMPLATE,
        description="Pool cluster-api: GROUP/KIND/NAME of the infrastructure template of a machine",
    )


class PoolSettings(Group):
    """Where GPU nodes come from and what they look like. `gpu_quota` is 0 where none is known."""

    kind: Annotated[PoolKind, one_of(lambda: POOL_KINDS, lambda name: POOL_KINDS[name])] = Field(
        default="existing",
        validate_default=True,
        description="Where GPU nodes come from: existing, karpenter-aws, karpenter-azure, "
        "gke-compute-class or cluster-api",
    )
    gpu: Annotated[Gpu, one_of(device_names, find_gpu)] = Field(
        default="l4",
        validate_default=True,
        description="GPU model; a name in components/breakeven/catalog/data/gpus.json, or a "
        "fraction of one: a MIG profile such as h100/1g.10gb, or one of four time slices such as "
        "l4/shared-4; pool.gpusPerNode then counts the fractions. cpu: the nodes have no GPU, and "
        "their CPUs serve a small model",
    )
    gpus_per_node: Integer = Field(
        default=1,
        ge=1,
        le=16 * 8,
        description="GPUs per node of the pool; a multiple of engine.tensorParallel",
    )
    gpu_quota: Integer = Field(
        default=0,
        ge=0,
        le=100_000,
        description="Granted GPU quota for this machine type; 0 if unknown. A stack whose peak "
        "exceeds it is rejected",
    )
    node_count: Integer = Field(
        default=1,
        ge=1,
        le=1000,
        description="Pool existing: number of nodes, paid for whether busy or not",
    )
    node_labels: Labels = Field(
        default={"nvidia.com/gpu.present": "true"},
        description="Pool existing: labels of the nodes",
    )
    node_taints: Annotated[
        tuple[
            Annotated[
                str,
                matching(
                    r"([a-z0-9][a-z0-9.-]{0,252}/)?[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?",
                    "keys of taints, such as dedicated; values and effects do not matter",
                ),
            ],
            ...,
        ],
        List,
    ] = Field(
        default=(),
        description="Pool existing: keys of the nodes' taints; nvidia.com/gpu, or amd.com/gpu "
        "with AMD GPUs, is always tolerated",
    )
    instance_types: Annotated[tuple[MachineType, ...], List] = Field(
        default=(),
        description="Machine types that the pool may start, each with exactly pool.gpusPerNode "
        "GPUs",
    )
    capacity_types: Annotated[tuple[Literal["reserved", "on-demand", "spot"], ...], List] = Field(
        default=("on-demand",),
        description="Autoscaled pools: reserved, on-demand, spot, tried in the order given; "
        "karpenter-azure does not support reserved, cluster-api supports only on-demand",
    )
    spot_interruptions_per_month: Number = Field(
        default=Decimal("0.2"),
        ge=0,
        le=700,
        description="If pool.capacityTypes begins with spot: interruptions of a node per month; "
        "above 0.2 is the worst class of AWS's Spot Instance Advisor",
    )
    karpenter: KarpenterSettings = Field(
        default=KarpenterSettings(), description="Pool karpenter-aws"
    )
    gke: GkeSettings = Field(default=GkeSettings(), description="Pool gke-compute-class")
    cluster_api: ClusterApiSettings = Field(
        default=ClusterApiSettings(), description="Pool cluster-api"
    )
    node_volume_gigabytes: Integer = Field(
        default=100,
        ge=50,
        le=16_000,
        description="Pools karpenter-aws (gp3), karpenter-azure, gke-compute-class (pd-ssd): "
        "root volume of a node in GB (engine image, caches)",
    )

    @property
    def can_grow(self) -> bool:
        """Whether nodes come and go with replicas; otherwise `node_count` of them are there."""
        return self.kind.can_grow

    @property
    def first_purchase(self) -> str:
        """How nodes are bought before anything else is tried; on demand where nothing says how."""
        buys = self.kind.purchases and self.capacity_types
        return self.capacity_types[0] if buys else "on-demand"

    def conflicts(self) -> Iterator[Conflict]:
        """Yields what cannot work with the pool's kind."""
        kind = self.kind
        for setting in kind.required_settings:
            if not self._value(setting):
                yield Conflict(f"pool.{setting}", "empty", f"Needed with pool {kind.name}", _KIND)
        missing = [name for name in self.capacity_types if not kind.supports(name)]
        if kind.purchases and missing:
            yield Conflict(
                "pool.capacityTypes",
                f"found {', '.join(missing)}",
                f"Allowed with pool {kind.name}: {', '.join(kind.purchases)}"
                + (f"; {kind.purchases_hint}" if kind.purchases_hint else ""),
                _KIND,
            )
        if not kind.accepts_gpu(self.gpu):
            hint = kind.gpu_hint(self.gpu)
            yield Conflict(
                "pool.gpu",
                f'found "{self.gpu.name}"',
                f"Allowed with pool {kind.name}: {', '.join(kind.gpus)}"
                + (f"; {hint}" if hint else ""),
                _KIND,
            )
        yield from self._reservation_conflicts()
        for setting in ("nodeLabels", "nodeTaints"):
            if setting not in kind.own_settings and self._is_stated(setting):
                yield Conflict(
                    f"pool.{setting}",
                    f"has no effect with pool {kind.name}",
                    f"Allowed with pool {_kinds_with(setting)}; other pools label and taint their "
                    "own nodes",
                    _KIND,
                )

    def _reservation_conflicts(self) -> Iterator[Conflict]:
        kind, is_reserved = self.kind, "reserved" in self.capacity_types
        needs = (*_KIND, "pool.capacityTypes")
        if kind.reservations_setting and is_reserved and not self._value(kind.reservations_setting):
            yield Conflict(
                f"pool.{kind.reservations_setting}",
                "empty, with reserved in pool.capacityTypes",
                "Name the reservations, or remove reserved from pool.capacityTypes",
                needs,
            )
        setting = "gke.reservations"
        if self.gke.reservations and not (is_reserved and setting in kind.own_settings):
            yield Conflict(
                f"pool.{setting}",
                f"has no effect with pool {kind.name} and pool.capacityTypes "
                f"{', '.join(self.capacity_types) or 'empty'}",
                f"Allowed with pool {_kinds_with(setting)} and reserved in pool.capacityTypes",
                needs,
            )

    def _value(self, setting: str) -> object:
        """Returns the value of a setting as files name it, such as karpenter.nodeRole."""
        value: object = self
        for part in setting.split("."):
            value = getattr(value, to_snake(part))
        return value.name if isinstance(value, ClusterApiTemplate) else value

    def _is_stated(self, setting: str) -> bool:
        return bool(self._value(setting) != type(self).model_fields[to_snake(setting)].default)


def _kinds_with(setting: str) -> str:
    return ", ".join(kind.name for kind in POOL_KINDS.values() if setting in kind.own_settings)


_KIND = ("pool.kind",)
