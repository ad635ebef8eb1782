"""What a program's bill leaves out, one sentence per reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from breakeven.cost.bill.charge import UnpricedReason
from breakeven.cost.bill.line_item import NotPriced
from breakeven.reports.formatting import counted
from breakeven.reports.sentences.line_items import not_priced_name, not_priced_reason

_SHOWN = 8
"""Resources that a sentence names."""

_BEGINNINGS: Mapping[UnpricedReason, str] = {
    UnpricedReason.OTHER_NODES: "Pods on nodes of others, and not in the total",
    UnpricedReason.BY_USE: "Charged by use, and not in the total",
    UnpricedReason.NOT_IN_BOOK: "Not in the price book, and not in the total",
    UnpricedReason.NO_RULE: "No rule for these types, and not in the total",
}
"""Of reasons whose details differ; every other reason is a sentence of its own."""


def left_out(not_priced: Iterable[NotPriced]) -> list[str]:
    """Returns a sentence for each reason why something is not in the total.

    Args:
        not_priced: What has no price.
    """
    items = tuple(not_priced)
    sentences = []
    for reason, beginning in _BEGINNINGS.items():
        of_reason = [item for item in items if item.reason is reason]
        if of_reason:
            sentences.append(f"{beginning}: {_named(reason, of_reason)}.")
    by_sentence: dict[str, list[str]] = {}
    for item in items:
        if item.reason not in _BEGINNINGS:
            told = not_priced_reason(item, "prices")
            by_sentence.setdefault(told, []).append(f"{not_priced_name(item)} ({item.type})")
    sentences += [
        f"Not priced, and not in the total: {_some(names)}: {told}."
        for told, names in by_sentence.items()
    ]
    return sentences


def _named(reason: UnpricedReason, items: list[NotPriced]) -> str:
    if reason is UnpricedReason.NO_RULE:
        types = Counter(item.type for item in items)
        named = [f"{kind} ({count})" if count > 1 else kind for kind, count in types.items()]
        return f"{counted(len(items), 'resource')}, {_some(named)}"
    return _some(
        [
            f"{not_priced_name(item)} ({item.detail})" if item.detail else not_priced_name(item)
            for item in items
        ]
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
