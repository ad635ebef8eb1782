"""Patterns of names that several groups of settings have, with what a message says is allowed."""

from __future__ import annotations

LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
"""Of a namespace or a Service: a DNS label (RFC 1123)."""

LABEL_ALLOWED = "Allowed: a Kubernetes name: lower-case letters, digits and hyphens, at most 63"

SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
"""Of a Secret, a volume claim or a storage class: DNS labels with dots between them (RFC 1123)."""

SUBDOMAIN_ALLOWED = (
    "Allowed: a Kubernetes name: lower-case letters, digits and hyphens, in parts of at most 63 "
    "with dots between them"
)

MACHINE_TYPE = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""Of a cloud's machine type, such as g6e.xlarge or Standard_NC40ads_H100_v5."""

REGISTRY_HOST = r"((?=[^/]*[.:]|localhost(?![^/]))[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?)"
"""Of a registry. A first part without dot or port is none to a container runtime, but a folder of
Docker Hub; `localhost` is the exception."""

IMAGE = rf"{REGISTRY_HOST}(/[a-z0-9._-]+)+"
"""Of an image: everything before its tag."""

DIGEST = r"@sha256:[0-9a-f]{64}"

HOST_ALLOWED = "HOST has a dot or a port, or is localhost"
