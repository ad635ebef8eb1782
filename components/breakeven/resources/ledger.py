"""Records every resource that the program registers, as the engine is about to see it.

Pulumi alone is imported here: what the entries cost is worked out from plain data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from breakeven.cost.bill.registered import GPU_POOL, Registered

# Marks secrets, assets and references in Pulumi's wire format (sdk/go/common/resource/sig).
_SIGNATURE = "4dabf18193072939515e22adb298388d"

_INTERNAL = ("pulumi:pulumi:", "pulumi:providers:")


class Ledger:
    """Sees every registration of the program, children of components included.

    A component costs what its children cost, so it is not recorded itself; but for the GPU pool,
    whose nodes are not resources of the program.

    A transform rather than a policy or a list kept by hand: it sees the final inputs, in preview
    and with no cluster, and also of resources that someone else's code adds to the stack.
    """

    def __init__(self) -> None:
        self._registered: list[Registered] = []

    def attach(self) -> None:
        """Starts to record; call it before the first resource and after any other transform."""
        pulumi.runtime.register_resource_transform(self._observe)

    def entries(self) -> tuple[Registered, ...]:
        """Returns what was registered so far, by type and name, so that order is reproducible."""
        return tuple(sorted(self._registered, key=lambda entry: (entry.type, entry.name)))

    def _observe(self, args: pulumi.ResourceTransformArgs) -> None:
        # Must never raise: an exception in a transform fails the registration. What cannot be read
        # is recorded without its inputs and judged later.
        if not is_counted(args.type_, custom=args.custom):
            return
        try:
            properties = plain(args.props)
        except Exception:  # noqa: BLE001  # any resource shape may come by; see above
            properties = None
        known = properties if isinstance(properties, Mapping) else None
        self._registered.append(Registered(args.name, args.type_, known))


def is_counted(kind: str, *, custom: bool) -> bool:
    """Tells whether a resource has a place in the ledger: see `Ledger` for components."""
    return not kind.startswith(_INTERNAL) and (custom or kind == GPU_POOL)


def plain(value: object) -> object:
    """Turns inputs into plain values; unknown values, secrets and assets become None."""
    if isinstance(value, Mapping):
        if _SIGNATURE in value:
            return None
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item) for item in value]
    return None
