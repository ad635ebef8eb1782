"""Each fact about a deployment has a sentence that says what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from breakeven.cost.notes import (
    AdapterWorkNotCounted,
    ArchitectureUnknown,
    CommitUnknown,
    EngineTooOld,
    Note,
    NotScraped,
    PrecisionNotNative,
    PurchaseFallback,
    ReservedNodes,
    ScheduledReplicas,
    SpansNodes,
    SparseAttentionUnsupported,
    UnusedPriceOverride,
    UpdateStrategy,
)
from breakeven.planning.notes import update_strategy
from breakeven.reports.sentences.notes import note_sentence
from tests.recording import settings_of

SURGE = UpdateStrategy(
    kind="surge",
    adds_node=True,
    replicas=2,
    hindrance=None,
    gpu_quota=None,
    gap_minutes=0,
    overflows=False,
)
STOP = replace(SURGE, kind="stop", replicas=1, hindrance="no-spare-gpu", gap_minutes=12)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (SURGE, "before an old one drains (one extra node); no capacity is lost."),
        (replace(SURGE, adds_node=False), "(on a spare GPU)"),
        (
            replace(SURGE, kind="replace", hindrance="gpu-quota", gpu_quota=8),
            (
                "because pool.gpuQuota 8 has no room for another replica; at least 1 of 2 replicas "
                "keep serving."
            ),
        ),
        (STOP, "because no GPU is spare: nothing serves for up to 12 minutes. To avoid that, add"),
        (
            replace(STOP, hindrance="one-node-mounts-weights"),
            "set weights.accessMode ReadWriteMany",
        ),
        (replace(STOP, overflows=True), "only the API behind the gateway serves"),
        (SpansNodes(2), "spans 2 nodes"),
        (AdapterWorkNotCounted(), "LoRA adapters"),
        (EngineTooOld(model="kimi-k3", needed="0.27.1", stated="0.24.0"), "needs vLLM 0.27.1"),
        (
            PrecisionNotNative(gpu="h100", precisions=("fp8", "nvfp4")),
            "h100 does not support fp8 and nvfp4",
        ),
        (
            SparseAttentionUnsupported(model="glm-5.2", gpu="a100-80"),
            "cannot run glm-5.2 on a100-80",
        ),
        (ArchitectureUnknown("NovelForCausalLM"), "NovelForCausalLM is unknown"),
        (CommitUnknown("a/b"), "`pulumi up` requires model.revision"),
        (ScheduledReplicas("Europe/Berlin"), "Monday 0:00 Europe/Berlin"),
        (NotScraped("http://prometheus:9090", 8000, None), "replicas (port 8000), with"),
        (NotScraped("http://prometheus:9090", 8000, 9464), "of the gateways (port 9464)"),
        (ReservedNodes(), "paid for all hours"),
        (PurchaseFallback("spot", ("on-demand",)), "if capacity is unavailable, on-demand is"),
        (UnusedPriceOverride("volume/aws/gp-3", "volume/aws/gp3"), "Did you mean volume/aws/gp3?"),
    ],
)
def test_a_note_is_said(note: Note, said: str) -> None:
    assert said in note_sentence(note)


def test_nothing_is_suggested_where_no_price_is_close() -> None:
    assert "Did you mean" not in note_sentence(UnusedPriceOverride("x/y", ""))


def test_the_update_of_a_stack_behind_a_gateway_names_the_api() -> None:
    one = {"weights.accessMode": "ReadWriteOnce", "replicas.max": 1}
    inside = {"network.dataMayLeave": False}
    assert update_strategy(settings_of("hybrid", **one)).overflows
    assert not update_strategy(settings_of("hybrid", **one, **inside)).overflows
