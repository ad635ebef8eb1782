"""Cases of charts/monitoring/rules/scaling.yaml.j2."""

from __future__ import annotations

from tests.prometheus.cases.series import Case, Series, cluster, running, up, waiting

READY = "kube_deployment_status_replicas_ready"
CONDITION = "kube_horizontalpodautoscaler_status_condition"
SEEN = (running("1x30"), waiting("0x30"))


def ready(values: str) -> Series:
    return cluster(READY, values, 'deployment="model"')


def condition(labels: str, autoscaler: str = "keda-hpa-model") -> Series:
    return cluster(CONDITION, "1x30", f'horizontalpodautoscaler="{autoscaler}",{labels}')


def keda_errors(values: str) -> Series:
    labels = 'namespace="keda",exported_namespace="llm",scaledObject="model"'
    return f"keda_scaled_object_errors_total{{{labels}}}", values


CASES = [
    Case(
        "PrometheusTargetMissing",
        (ready("2x30"), up("1x30", "a"), up("1x30", "b")),
        20,
        firing=False,
    ),
    Case(
        "PrometheusTargetMissing",
        (ready("2x30"), up("1x30", "a")),
        20,
        firing=True,
        summary="2 replicas are ready, but Prometheus scrapes fewer.",
    ),
    Case("PrometheusTargetMissing", (ready("1x30"),), 20, firing=True),  # no target at all
    # A replica that is not ready yet is missed by nobody.
    Case(
        "PrometheusTargetMissing",
        (ready("1x30"), up("1x30", "a"), up("0x30", "b")),
        20,
        firing=False,
    ),
    Case("ScalingBlind", (), 10, firing=True),
    Case("ScalingBlind", SEEN, 10, firing=False),
    Case("ScalingBlind", (running("1x30"),), 10, firing=True),  # one of two metrics is gone
    Case(
        "ScalingBlind",
        (*SEEN, condition('condition="ScalingActive",status="false"')),
        10,
        firing=True,
    ),
    # Another autoscaler of the namespace, such as another model's.
    Case(
        "ScalingBlind",
        (*SEEN, condition('condition="ScalingActive",status="false"', "keda-hpa-model-other")),
        10,
        firing=False,
    ),
    # At its maximum: limited, and not blind.
    Case(
        "ScalingBlind",
        (*SEEN, condition('condition="ScalingLimited",status="true"')),
        10,
        firing=False,
    ),
    Case("ScalingBlind", (*SEEN, keda_errors("0+4x30")), 20, firing=True),
    # One error an hour ago.
    Case("ScalingBlind", (*SEEN, keda_errors("0x3 1x30")), 20, firing=False),
]
