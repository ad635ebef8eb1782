"""Type tokens of Pulumi's cloud providers, without what differs between their versions."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"(?P<provider>[\w-]+?)(?:_\w+)?:(?P<module>[\w-]+)(?:/\w+)?:(?P<kind>\w+)")
_RENAMED = re.compile(r"(?<=[a-z])[vV]2$")
_MODULES = {
    "aws:alb": "aws:lb",
    "aws:applicationloadbalancing": "aws:lb",
    "aws:elasticloadbalancingv2": "aws:lb",
    "gcp:serviceAccount": "gcp:serviceaccount",
}


def plain_type(token: str) -> str:
    """Returns a type as provider:module:Kind.

    Without the file of the module (aws:s3/bucket:Bucket), a version of Azure's interface
    (azure-native:web/v20240401:WebApp, azure-native_web_v20240401:web:WebApp), and the number of
    kinds that were renamed for a while (aws:s3/bucketV2:BucketV2). Kubernetes' types stay: their
    versions are part of them.
    """
    match = _TOKEN.fullmatch(token)
    if match is None or match["provider"] == "kubernetes":
        return token
    module = f"{match['provider']}:{match['module']}"
    return f"{_MODULES.get(module, module)}:{_RENAMED.sub('', match['kind'])}"
