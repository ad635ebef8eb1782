"""What a gateway works for a request and for what is streamed: measured, with source and day."""

from __future__ import annotations

from datetime import date

SECONDS_PER_CHUNK = 126e-6
"""CPU seconds of a gateway for one event of a stream, of all its programs together.

The highest of what was measured with counting, limits and two listeners, in seconds for 1M: 32 at
40,000 and 76 at 8,000 events a second (2026-11-29, Envoy 1.40.0, two busy cores), 30 to 51 by `make
bench-gateway` and 126 by `python -m bench.gateway peak` at 2,550 a second (2026-12-01, Envoy
1.39.1): the less there is at once, the more each event takes.
"""

SECONDS_PER_REQUEST = 2.1e-3
"""CPU seconds of a gateway for one request, of all its programs together, limits asked.

The highest of what was measured: 0.7 for 1,000 (2026-11-29) and 2.1 by `make bench-gateway`
(2026-11-30, two cores at a load of 29).
"""

AS_OF = date(2026, 12, 1)
"""Day of the newest of these measurements."""
