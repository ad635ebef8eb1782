"""Downloads over HTTPS, limited in size and time. A truncated, refused or oversized answer fails.

Plain HTTP is allowed only to this machine, for a mirror or a test server. A redirect never leads
from HTTPS to HTTP, and credentials never follow one. Messages name a URL without its query, and
repeat nothing that a server said: an error page may quote the request.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import IO

import httpx2

AGENT = "breakeven (price refresh)"

RETRIED = frozenset({408, 429, 500, 502, 503, 504})
"""Status codes after which another attempt may succeed."""

LONGEST_WAIT_SECONDS = 60.0
"""A server that asks for a longer pause is not waited for."""

_REDIRECTS = 5
_BACKOFF_SECONDS = (1.0, 2.0, 4.0)


class FetchError(Exception):
    """Something that could not be fetched; the message says from where and why."""


class _Again(Exception):  # noqa: N818  # asks for a retry; `FetchError` is raised when there is none
    """An attempt failed in a way that may be temporary.

    Attributes:
        reason: What happened.
        wait: Seconds that the server asks to wait; None if it does not say.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a download.

    Attributes:
        largest_bytes: Bytes of one body, uncompressed.
        longest_seconds: Seconds of one attempt.
        silent_seconds: Seconds without a byte.
        connect_seconds: Seconds until there is a connection.
    """

    largest_bytes: int = 64 << 20
    longest_seconds: float = 300.0
    silent_seconds: float = 30.0
    connect_seconds: float = 10.0


class Client:
    """Fetches what price sources offer."""

    def __init__(
        self,
        limits: Limits = Limits(),
        *,
        on_bytes: Callable[[int], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Makes a client.

        Args:
            limits: Default limits of a body.
            on_bytes: Called with the bytes of each chunk that arrives.
            sleep: Waits between attempts.
        """
        self._limits = limits
        self._on_bytes = on_bytes
        self._sleep = sleep
        self._http = httpx2.Client(headers={"user-agent": AGENT}, follow_redirects=False)

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()

    def body(self, url: str, headers: Mapping[str, str] | None = None) -> bytes:
        """Returns a body that fits into memory.

        Args:
            url: Where it is.
            headers: Credentials; sent only to that host.

        Raises:
            FetchError: It cannot be fetched.
        """
        sink = BytesIO()
        self.download(url, sink, headers)
        return sink.getvalue()

    def download(
        self,
        url: str,
        sink: IO[bytes],
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Writes a body to a file, whole or not at all: after an error it holds nothing.

        Args:
            url: Where it is.
            sink: Where it goes.
            headers: Credentials; sent only to that host.
            limits: Of this body.

        Raises:
            FetchError: It cannot be fetched.
        """
        for pause in (*_BACKOFF_SECONDS, None):
            try:
                self._attempt(url, sink, headers or {}, limits or self._limits)
            except _Again as error:
                _empty(sink)
                wait = pause if error.wait is None or pause is None else error.wait
                if wait is None:
                    msg = f"{shown(url)}: {error.reason}; tried {len(_BACKOFF_SECONDS) + 1} times"
                    raise FetchError(msg) from None
                if wait > LONGEST_WAIT_SECONDS:
                    msg = f"{shown(url)}: {error.reason}, retry after {wait:.0f} s; try later"
                    raise FetchError(msg) from None
                self._sleep(wait)
            except BaseException:
                _empty(sink)
                raise
            else:
                sink.seek(0)
                return

    def _attempt(
        self, url: str, sink: IO[bytes], headers: Mapping[str, str], limits: Limits
    ) -> None:
        timeout = httpx2.Timeout(limits.silent_seconds, connect=limits.connect_seconds)
        ends = time.monotonic() + limits.longest_seconds
        try:
            for _ in range(_REDIRECTS + 1):
                with self._http.stream("GET", url, headers=headers, timeout=timeout) as response:
                    if not response.has_redirect_location:
                        _check_status(url, response)
                        self._copy(url, response, sink, limits, ends)
                        return
                    if headers:
                        msg = (
                            f"{shown(url)}: redirects, but credentials are not sent to another "
                            "address"
                        )
                        raise FetchError(msg)
                    url = _redirected(url, response.headers["location"])
        except httpx2.TimeoutException:
            reason = f"no response within {limits.silent_seconds:g} s"
            raise _Again(reason) from None
        except httpx2.ConnectError as error:
            msg = f"{shown(url)}: cannot connect ({_reason(error)}). Check network and proxy"
            raise FetchError(msg) from None
        except httpx2.HTTPError as error:
            reason = f"the connection was closed early ({_reason(error)})"
            raise _Again(reason) from None
        msg = f"{shown(url)}: more than {_REDIRECTS} redirects"
        raise FetchError(msg)

    def _copy(
        self, url: str, response: httpx2.Response, sink: IO[bytes], limits: Limits, ends: float
    ) -> None:
        count = 0
        for chunk in response.iter_bytes():
            count += len(chunk)
            if count > limits.largest_bytes:
                msg = f"{shown(url)}: larger than {limits.largest_bytes >> 20} MiB"
                raise FetchError(msg)
            if time.monotonic() > ends:
                msg = f"{shown(url)}: incomplete after {limits.longest_seconds:g} s"
                raise FetchError(msg)
            sink.write(chunk)
            self._on_bytes(len(chunk))


def checked_base(url: str) -> str:
    """Returns the base address of a source, without a trailing slash.

    Raises:
        FetchError: It is neither HTTPS nor plain HTTP to this machine, or has more than a path.
    """
    try:
        parts = httpx2.URL(url)
        plain = not (parts.userinfo or parts.query or parts.fragment)
    except (httpx2.InvalidURL, ValueError):
        plain = False
    if not plain or not _is_allowed(parts):
        msg = f'found "{shown(url)}". Allowed: https://HOST/PATH, or http:// to 127.0.0.1'
        raise FetchError(msg)
    return url.rstrip("/")


def shown(url: str) -> str:
    """Returns a URL without its query and user, for messages."""
    try:
        return str(httpx2.URL(url).copy_with(query=None, fragment=None, userinfo=b""))
    except (httpx2.InvalidURL, ValueError):
        return "a text that is not a URL"


def _is_allowed(url: httpx2.URL) -> bool:
    return bool(url.host) and (
        url.scheme == "https" or (url.scheme == "http" and _is_this_machine(url.host))
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _redirected(url: str, location: str) -> str:
    try:
        target = httpx2.URL(url).join(location)
        allowed = _is_allowed(target)
    except (httpx2.InvalidURL, ValueError):
        allowed = False
    # A server on the internet must not redirect to a service on this machine.
    if not allowed or (httpx2.URL(url).scheme, target.scheme) == ("https", "http"):
        msg = f"{shown(url)}: redirects to an address that is not HTTPS"
        raise FetchError(msg)
    return str(target)


def _check_status(url: str, response: httpx2.Response) -> None:
    status = response.status_code
    if status == httpx2.codes.OK:
        return
    reason = f"returned {status} {httpx2.codes.get_reason_phrase(status)}".rstrip()
    if status in RETRIED:
        raise _Again(reason, _wait(response.headers.get("retry-after")))
    msg = f"{shown(url)}: {reason}"
    raise FetchError(msg)


def _wait(text: str | None) -> float | None:
    """Reads Retry-After: seconds or a time; None if it is neither."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(tz=UTC)).total_seconds()) if at.tzinfo else None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _empty(sink: IO[bytes]) -> None:
    sink.seek(0)
    sink.truncate()
