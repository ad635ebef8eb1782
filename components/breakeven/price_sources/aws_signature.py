"""Signature Version 4 of AWS, for a request without body.

As "AWS Signature Version 4 for API requests" in the IAM User Guide describes it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
KEY, SECRET, TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"


def query_text(parameters: Mapping[str, str]) -> str:
    """Returns parameters as the query that is signed: sorted and encoded."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(parameters.items())
    )


def signed_headers(  # noqa: PLR0913  # what a signature covers
    url: str,
    parameters: Mapping[str, str],
    credentials: Mapping[str, str],
    *,
    region: str,
    service: str,
    now: datetime,
    headers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Returns the headers of a signed GET request.

    Args:
        url: Address without query.
        parameters: Of the query, which is `query_text` of them.
        credentials: `KEY`, `SECRET` and, for temporary ones, `TOKEN`.
        region: Such as "us-east-1".
        service: Such as "ec2".
        now: Time of the request, in UTC.
        headers: Further headers to sign, by names in small letters.
    """
    parts = urlsplit(url)
    time, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    signed = {**(headers or {}), "host": parts.netloc, "x-amz-date": time}
    if credentials.get(TOKEN):
        signed["x-amz-security-token"] = credentials[TOKEN]
    names = ";".join(sorted(signed))
    request = "\n".join(
        (
            "GET",
            parts.path or "/",
            query_text(parameters),
            *(f"{name}:{signed[name].strip()}" for name in sorted(signed)),
            "",
            names,
            hashlib.sha256(b"").hexdigest(),
        )
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{credentials[SECRET]}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, f"{ALGORITHM}\n{time}\n{scope}\n{digest}".encode(), "sha256")
    authorization = (
        f"{ALGORITHM} Credential={credentials[KEY]}/{scope}, "
        f"SignedHeaders={names}, Signature={signature.hex()}"
    )
    return {**signed, "authorization": authorization}
