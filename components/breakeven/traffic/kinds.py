"""Tells what kind of log a file is from its beginning."""

from __future__ import annotations

import csv
import json
import re
from enum import StrEnum

from breakeven.traffic.columns import plain


class Kind(StrEnum):
    """Kinds of logs."""

    REQUESTS_CSV = "requests-csv"
    REQUESTS_JSONL = "requests-jsonl"
    OPENAI_USAGE = "openai-usage"
    LITELLM = "litellm"
    PROMETHEUS = "prometheus"
    AZURE_TRACE = "azure-trace"


_LITELLM = frozenset({"starttime", "prompttokens", "completiontokens"})
_LITELLM_ALONE = frozenset({"spend", "calltype", "apikey"})
_OPENAI = frozenset({"starttime", "endtime"})
_OPENAI_ALONE = frozenset({"nummodelrequests", "starttimeiso"})
_AZURE = frozenset({"timestamp", "contexttokens", "generatedtokens"})

_BEGINS_AS_PROMETHEUS = re.compile(r'\s*\{\s*"status"\s*:\s*"(success|error)"')
_BEGINS_AS_OPENAI = re.compile(r'[\s\[]*\{\s*"object"\s*:\s*"page"')


def is_json(head: str) -> bool:
    """Tells whether a file that begins so is JSON, not CSV."""
    return head.lstrip()[:1] in ("{", "[")


def detect(head: str) -> Kind:
    """Tells the kind of a file by its beginning; what is no export is a request log."""
    return _of_json(head) if is_json(head) else _of_header(head)


def _of_header(head: str) -> Kind:
    line = (head.splitlines() or [""])[0]
    separator = max(",;\t", key=line.count)
    names = {plain(name) for name in next(csv.reader([line], delimiter=separator), [])}
    if names >= _AZURE:
        return Kind.AZURE_TRACE
    if names >= _LITELLM and names & _LITELLM_ALONE:
        return Kind.LITELLM
    if names >= _OPENAI and names & _OPENAI_ALONE:
        return Kind.OPENAI_USAGE
    return Kind.REQUESTS_CSV


def _of_json(head: str) -> Kind:
    if _BEGINS_AS_PROMETHEUS.match(head):
        return Kind.PROMETHEUS
    if _BEGINS_AS_OPENAI.match(head):
        return Kind.OPENAI_USAGE
    names = {plain(name) for name in _first_object(head)}
    if names == {"status", "data"}:
        return Kind.PROMETHEUS
    if names >= {"data", "hasmore"}:
        return Kind.OPENAI_USAGE
    if names >= _LITELLM and names & _LITELLM_ALONE:
        return Kind.LITELLM
    return Kind.REQUESTS_JSONL


def _first_object(head: str) -> dict[str, object]:
    try:
        value, _ = json.JSONDecoder().raw_decode(head.lstrip().removeprefix("[").lstrip())
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
