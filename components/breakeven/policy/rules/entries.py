"""Entry points of a cluster: Ingress, Gateway, Services with an external address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from breakeven.policy.manifest import Pod, Resource, Scope, Unknown, at, listed, mapped
from breakeven.policy.rule import Level, Rule, Violation, about
from breakeven.policy.rules.command_lines import flags
from breakeven.policy.rules.containers import is_kind, is_one_of, shown
from breakeven.policy.rules.network_policies import neighbors, port_name
from breakeven.policy.selectors import matches

_CERTIFICATE_ANNOTATIONS = (
    "service.beta.kubernetes.io/aws-load-balancer-ssl-cert",
    "service.beta.kubernetes.io/do-loadbalancer-certificate-id",
    "service.beta.kubernetes.io/oci-load-balancer-ssl-ports",
)
"""Annotations with which a cloud's load balancer terminates TLS."""

_ALLOW_HTTP = "kubernetes.io/ingress.allow-http"
_SNIPPETS = ("-snippet", "-snippets", ".ingress.kubernetes.io/server-alias")
_ALLOW_SNIPPETS = "allow-snippet-annotations"
_NGINX = ("nginx.ingress.kubernetes.io/", "nginx.org/", "nginx.com/")
_DIRECTIVE = re.compile(r"[;{}\n]|_by_lua|/etc/passwd|/var/run/secrets")
"""What leaves the value of an annotation and becomes configuration (CVE-2021-25745, -25746)."""
_PLAIN_ANNOTATIONS = {
    _ALLOW_HTTP: "true",
    "nginx.ingress.kubernetes.io/ssl-redirect": "false",
    "haproxy-ingress.github.io/ssl-redirect": "false",
    "traefik.ingress.kubernetes.io/router.tls": "false",
}
"""Annotations with which an Ingress with a certificate also serves plain HTTP."""

_STATED = {
    _ALLOW_HTTP: r"false",
    "nginx.ingress.kubernetes.io/ssl-redirect": r"true",
    "nginx.ingress.kubernetes.io/force-ssl-redirect": r"true",
    "nginx.org/redirect-to-https": r"true",
    "nginx.org/ssl-redirect": r"true",
    "ingress.kubernetes.io/force-ssl-redirect": r"true",
    "ingress.kubernetes.io/ssl-redirect": r"true",
    "haproxy.org/ssl-redirect": r"true",
    "haproxy-ingress.github.io/ssl-redirect": r"true",
    "traefik.ingress.kubernetes.io/router.tls": r"true",
    "alb.ingress.kubernetes.io/ssl-redirect": r"\d+",
    "appgw.ingress.kubernetes.io/ssl-redirect": r"true",
    "konghq.com/protocols": r"https|grpcs|https,grpcs|grpcs,https",
}
"""Annotations with which controllers refuse or redirect plain HTTP, and the value that says so.

Those of Google, ingress-nginx, NGINX Inc., Contour, HAProxy, Traefik, AWS, Azure and Kong, as their
documentation names them (2026-12-01).
"""


@about(is_kind("Service"))
def _no_external_addresses(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    if listed(resource.spec.get("externalIPs")):
        yield Violation("spec.externalIPs", shown(list(listed(resource.spec.get("externalIPs")))))


_ENTRIES = ("LoadBalancer", "NodePort")
"""Types of Services that are reachable from outside the cluster."""

_ENTRY_KINDS = (
    *("Gateway", "Ingress", "ListenerSet", "XListenerSet"),
    *("HTTPProxy", "IngressRoute", "IngressRouteTCP", "Route"),
)
"""Kinds by which a cluster is entered: Kubernetes' own, Contour's, Traefik's and OpenShift's."""

_GOOGLE = ("gce", "gce-internal")
_GOOGLE_ANNOTATIONS = ("networking.gke.io/", "ingress.gcp.kubernetes.io/")


def _is_entry(resource: Resource, _scope: Scope) -> bool:
    is_generated = resource.group == "serving.knative.dev"
    return (resource.kind in _ENTRY_KINDS and not is_generated) or (
        resource.kind == "Service" and resource.spec.get("type") in _ENTRIES
    )


@about(_is_entry)
def _tls(resource: Resource, scope: Scope) -> Iterator[Violation]:
    match resource.kind, resource.group:
        case "Service", _:
            yield from _plain_service(resource, scope)
        case "Ingress", _:
            yield from _plain_ingress(resource)
        case "Gateway", "networking.istio.io":
            yield from _plain_servers(resource)
        case (("Gateway" | "ListenerSet" | "XListenerSet"), _):
            for listener in listed(resource.spec.get("listeners")):
                protocol = at(listener, "protocol")
                if not is_one_of(protocol, "HTTPS", "TLS"):
                    yield Violation(f"spec.listeners[{at(listener, 'name')}]", shown(protocol))
        case _:
            yield from _plain_route(resource)


def _plain_route(resource: Resource) -> Iterator[Violation]:
    """A route of OpenShift, Contour or Traefik; a part of another one of Contour's has no host."""
    is_part = resource.kind == "HTTPProxy" and "virtualhost" not in resource.spec
    path = ("virtualhost", "tls") if resource.kind == "HTTPProxy" else ("tls",)
    tls = at(resource.spec, *path)
    if tls is None and not is_part:
        yield Violation(f"spec.{'.'.join(path)}", "not set")
    elif at(tls, "insecureEdgeTerminationPolicy") == "Allow":
        yield Violation("spec.tls.insecureEdgeTerminationPolicy", "Allow")


def _is_google(resource: Resource) -> bool:
    """Tells whether Google's controller serves an Ingress, which by default allows HTTP as well."""
    annotations = mapped(at(resource.manifest, "metadata", "annotations"))
    stated = annotations.get("kubernetes.io/ingress.class"), resource.spec.get("ingressClassName")
    return any(each in _GOOGLE for each in stated) or any(
        str(name).startswith(_GOOGLE_ANNOTATIONS) for name in annotations
    )


@about(is_kind("Ingress", "ConfigMap"))
def _no_snippets(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    if resource.kind == "ConfigMap":
        value = at(resource.manifest, "data", _ALLOW_SNIPPETS)
        if not is_one_of(value, None, "false"):
            yield Violation(f"data[{_ALLOW_SNIPPETS}]", shown(value))
        return
    for name, value in mapped(at(resource.manifest, "metadata", "annotations")).items():
        is_nginx = str(name).startswith(_NGINX) and _DIRECTIVE.search(str(value))
        if str(name).endswith(_SNIPPETS) or is_nginx:
            yield Violation(f"metadata.annotations[{name}]", shown(value))


@about(is_kind("Ingress"))
def _named_hosts(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    for number, rule in enumerate(listed(resource.spec.get("rules"))):
        host = at(rule, "host")
        if not isinstance(host, Unknown) and (not host or "*" in str(host)):
            yield Violation(f"spec.rules[{number}].host", shown(host))
    if resource.spec.get("defaultBackend") is not None:
        yield Violation("spec.defaultBackend", "every host that no rule names")


def _plain_ingress(resource: Resource) -> Iterator[Violation]:
    secured = {
        str(host)
        for entry in listed(resource.spec.get("tls"))
        for host in listed(at(entry, "hosts"))
    }
    hosts = [at(rule, "host") for rule in listed(resource.spec.get("rules"))] or [None]
    for host in hosts:
        if not isinstance(host, Unknown) and not _is_secured(host, secured):
            yield Violation("spec.tls", f"{shown(host)} without TLS")
    annotations = mapped(at(resource.manifest, "metadata", "annotations"))
    for name, value in _PLAIN_ANNOTATIONS.items():
        if str(annotations.get(name, "")).lower() == value:
            yield Violation(f"metadata.annotations[{name}]", value)
    if _is_google(resource) and str(annotations.get(_ALLOW_HTTP, "")).lower() != "false":
        yield Violation(f"metadata.annotations[{_ALLOW_HTTP}]", "not false")
    if resource.spec.get("defaultBackend") and not secured:
        yield Violation("spec.defaultBackend", "all hosts without TLS")


@about(is_kind("Ingress"))
def _plain_http_stated(resource: Resource, _scope: Scope) -> Iterator[Violation]:
    annotations = mapped(at(resource.manifest, "metadata", "annotations"))
    values = {name: annotations[name] for name in _STATED if name in annotations}
    if not any(
        isinstance(value, Unknown) or re.fullmatch(_STATED[name], str(value).lower())
        for name, value in values.items()
    ):
        yield Violation("metadata.annotations", "nothing about plain HTTP")


def _plain_servers(resource: Resource) -> Iterator[Violation]:
    for number, server in enumerate(listed(resource.spec.get("servers"))):
        protocol = at(server, "port", "protocol")
        redirects = at(server, "tls", "httpsRedirect") is True
        if not is_one_of(protocol, "HTTPS", "TLS") and not redirects:
            yield Violation(f"spec.servers[{number}]", shown(protocol))


def _plain_service(resource: Resource, scope: Scope) -> Iterator[Violation]:
    """Finds load balancers and node ports without a certificate, there or in the pods."""
    annotations = mapped(at(resource.manifest, "metadata", "annotations"))
    if any(key in annotations for key in _CERTIFICATE_ANNOTATIONS):
        return
    selector = {"matchLabels": resource.spec.get("selector")}
    pods = [pod for pod in neighbors(resource, scope) if matches(selector, mapped(pod.labels))]
    if pods and all(_serves_tls(pod) for pod in pods):
        return
    for port in listed(resource.spec.get("ports")) or [None]:
        yield Violation(f"spec.ports[{port_name(at(port, 'port'))}]", "no TLS found")


def _serves_tls(pod: Pod) -> bool:
    """Tells whether a container of a pod has a certificate, or an HTTPS probe."""
    return any(
        "--ssl-certfile" in flags(container)
        or at(container.spec, "readinessProbe", "httpGet", "scheme") == "HTTPS"
        for container in pod.containers()
    )


def _is_secured(host: Any, secured: set[str]) -> bool:
    if not isinstance(host, str):
        return False
    return host in secured or f"*.{host.partition('.')[2]}" in secured


RULES = (
    Rule(
        id="service-no-external-ips",
        what="No Service sets externalIPs, which can intercept traffic of others (CVE-2020-8554).",
        do="Remove externalIPs.",
        theme="network-boundary",
        check=_no_external_addresses,
    ),
    Rule(
        id="ingress-tls",
        what="Every way in from outside the cluster is TLS only: Ingress, Gateway, the like of "
        "Contour, Traefik and OpenShift, and Services with a load balancer or node port.",
        do="Set spec.tls for every host of an Ingress, HTTPS or TLS for every listener of a "
        "Gateway, and network.tlsSecret for a load balancer (gateway.tls.secret if the stack "
        "has a gateway). "
        f"Google's controller serves HTTP as well unless {_ALLOW_HTTP} is false.",
        theme="transport",
        check=_tls,
        needs_all=True,
        controls={"Kubescape": ("C-0263",)},
    ),
    Rule(
        id="ingress-plain-http-stated",
        what="An Ingress states that its controller refuses or redirects plain HTTP. Otherwise the "
        "controller's own settings decide, which are not among the manifests.",
        do=f'Set the annotation of your controller, such as {_ALLOW_HTTP}: "false" or '
        'nginx.ingress.kubernetes.io/ssl-redirect: "true".',
        theme="transport",
        level=Level.ADVISORY,
        check=_plain_http_stated,
    ),
    Rule(
        id="ingress-no-snippets",
        what="No Ingress brings configuration of its controller's own, which reads the Secrets of "
        "all namespaces (CVE-2021-25742).",
        do="Remove the annotation; say it by a field or another annotation.",
        theme="attack-surface",
        check=_no_snippets,
    ),
    Rule(
        id="ingress-named-hosts",
        what="An Ingress takes requests for the hosts that it names, and not those of others.",
        do="Name each host in full; remove '*' and defaultBackend.",
        theme="network-boundary",
        check=_named_hosts,
    ),
)
