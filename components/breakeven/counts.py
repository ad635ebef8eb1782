"""Large whole numbers as people type them: 60000000, 60_000_000, 60M, 1.5B or 5e7."""

from __future__ import annotations

import re
from decimal import Decimal

PATTERN = r"[0-9][0-9_]*(\.[0-9]+)?([eE][0-9]{1,2}|[kKMBT])?"
"""Of such a number."""

ALLOWED = "a whole number such as 60000000, 60M, 1.5B or 5e7"
"""What messages say is allowed."""

_MOST = 10**18

_FACTORS = {"k": 10**3, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def read_count(text: str) -> int:
    """Reads a whole number.

    Args:
        text: Digits, also with underscores; after them k, M, B or T for a thousand, a million, a
            billion or a trillion, or an exponent of ten.

    Raises:
        ValueError: It is not one, it is not whole, or it is beyond 10^18.
    """
    stated = text.strip()
    if re.fullmatch(PATTERN, stated, re.ASCII):
        factor = _FACTORS.get(stated[-1], 1)
        number = Decimal(stated.rstrip("kKMBT").replace("_", "")) * factor
        if number <= _MOST and number == int(number):
            return int(number)
    msg = f'found "{text}"; allowed: {ALLOWED}'
    raise ValueError(msg)
