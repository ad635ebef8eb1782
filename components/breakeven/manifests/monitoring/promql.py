"""PromQL expressions that scaling, alerts and dashboards share."""

from __future__ import annotations

import json
from collections.abc import Iterable

from breakeven.manifests.gateway.labels import GATEWAY, TO_OWN, of_model
from breakeven.manifests.serving.labels import GROUP_NAME
from breakeven.settings.stack import Settings


def engine_selector(settings: Settings) -> str:
    """Returns the labels of this model's series, without braces.

    vLLM's label is model_name; the namespace is added by the PodMonitor and keeps stacks apart that
    serve the same model. A candidate serves under the model's name, from pods of its own.
    """
    labels = model_selector(settings, settings.model.facts.name)
    if settings.is_candidate:
        return f"{labels},pod=~{quoted(f'{settings.name}-.+')}"
    if settings.tried is not None:
        return f"{labels},pod!~{quoted(f'{settings.tried.settings.name}-.+')}"
    return labels


def model_selector(settings: Settings, model: str) -> str:
    """Returns the labels of the series of a model of the stack, by its name, without braces."""
    return f"{namespace_selector(settings)},model_name={quoted(model)}"


def models_selector(settings: Settings) -> str:
    """Returns the labels of the series of all models of the stack, without braces."""
    if not settings.co_located:
        return engine_selector(settings)
    served = (settings.model.facts.name, *(other.model for other in settings.co_located))
    return f"{namespace_selector(settings)},model_name=~{one_of(served)}"


def one_of(names: Iterable[str]) -> str:
    """Returns a PromQL string that matches any of the names, after `=~`."""
    return quoted("|".join(name.replace(".", "\\.") for name in names))


def namespace_selector(settings: Settings) -> str:
    """Returns the label of this stack's series of the cluster, without braces."""
    return f"namespace={quoted(settings.network.namespace)}"


def exported_namespace_selector(settings: Settings) -> str:
    """Returns the same label as Prometheus renames it if an exporter's target has its own."""
    return f"exported_{namespace_selector(settings)}"


def pod_selector(settings: Settings) -> str:
    """Returns the labels of the series of one model's pods, without braces.

    The model with the plain names has all pods of the namespace that are not another's, the
    gateway's among them.
    """
    own = f",pod=~{quoted(f'{settings.name}-.+')}" if settings.qualifier else ""
    others = [other.name for other in settings.co_located]
    if settings.tried is not None:
        others.append(settings.tried.settings.name)
    # As model-x-fp8 of model-x; of the plain name all others.
    longer = [f"{name}-.+" for name in others if name.startswith(f"{settings.name}-")]
    if longer:
        own += f",pod!~{quoted('|'.join(longer))}"
    return namespace_selector(settings) + own


def exported_pod_selector(settings: Settings) -> str:
    """Returns the same labels as Prometheus renames them if an exporter's target has its own."""
    return ",".join(f"exported_{label}" for label in pod_selector(settings).split(","))


def engine_pods(settings: Settings) -> str:
    """Returns a pattern of the names of the pods that serve one model."""
    if settings.engine.pipeline_parallel > 1:
        return f"{GROUP_NAME}-.+"
    return f"{settings.name}-[a-z0-9]+-[a-z0-9]+"


def replicas_asked_for(settings: Settings) -> str:
    """Returns the requested number of replicas."""
    return _of_controller(settings, "kube_deployment_spec_replicas", "kube_statefulset_replicas")


def replicas_ready(settings: Settings) -> str:
    """Returns the number of ready replicas."""
    return _of_controller(
        settings, "kube_deployment_status_replicas_ready", "kube_statefulset_status_replicas_ready"
    )


def _of_controller(settings: Settings, deployment: str, stateful_set: str) -> str:
    cluster = namespace_selector(settings)
    if settings.engine.pipeline_parallel > 1:
        # kube-state-metrics knows no LeaderWorkerSet, which has its first nodes in a StatefulSet of
        # its own name.
        return f"sum({stateful_set}{{{cluster},statefulset={quoted(GROUP_NAME)}}})"
    return f"sum({deployment}{{{cluster},deployment={quoted(settings.name)}}})"


def target_selector(settings: Settings) -> str:
    """Returns the labels of this stack's scrape targets, without braces."""
    return f"{namespace_selector(settings)},job={quoted(job_name(settings))}"


def gateway_target_selector(settings: Settings) -> str:
    """Returns the labels of the gateway's scrape targets, without braces."""
    job = f"{settings.network.namespace}/{GATEWAY}"
    return f"{namespace_selector(settings)},job={quoted(job)}"


def gateway_counter(settings: Settings, name: str, more: str = "") -> str:
    """Returns a counter of the gateways: "requests", "input_tokens", "output_tokens", "nano_usd".

    Its labels: `to` is own, candidate, api, or clients for what none of them answered; `route` is
    inside, overflow or asked for; team, model, and of requests status and why (Envoy's response
    flags).

    Args:
        settings: The stack's settings.
        name: Its name.
        more: Further label matchers.
    """
    labels = namespace_selector(settings) + (f",{more}" if more else "")
    return f"envoy_gateway_{name}{{{labels}}}"


def wanted_requests(settings: Settings) -> str:
    """Returns the gateway's counter of requests that an own replica should have served.

    It excludes teams over their budget, and requests that named the API. Envoy has this
    counter from its start, at zero: of a series that begins with one Prometheus sees no increase.
    """
    return (
        f"envoy_cluster_upstream_rq_total{{{namespace_selector(settings)},"
        f"envoy_cluster_name={quoted(of_model(TO_OWN, settings.name))}}}"
    )


def job_name(settings: Settings) -> str:
    """Returns the job that the Prometheus operator derives from the PodMonitor."""
    return f"{settings.network.namespace}/{settings.name}"


def quoted(value: str) -> str:
    """Returns a PromQL string; its escapes are those of JSON for what a label can hold."""
    return json.dumps(value)


def recorded(settings: Settings, name: str, more: str = "") -> str:
    """Returns a recorded series of this stack.

    Args:
        settings: The stack's settings.
        name: Its name without the prefix, such as "tokens:rate5m".
        more: Further label matchers.
    """
    labels = engine_selector(settings) + (f",{more}" if more else "")
    return f"breakeven:{name}{{{labels}}}"
