"""A recorded cluster that has what stack aws-prod or on-prem needs, to take things from."""

from __future__ import annotations
