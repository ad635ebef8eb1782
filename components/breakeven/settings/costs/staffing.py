"""What people cost."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from breakeven.settings.fields import Group, Integer, Number


class StaffingSettings(Group):
    """What people cost. Salary in USD a year, on-call pay in USD per month."""

    engineer_salary: Number = Field(
        default=Decimal(180000),
        ge=0,
        le=2_000_000,
        description="USD per year for a senior engineer, including employer costs",
    )
    engineer_percent: Integer = Field(
        default=20,
        ge=0,
        le=1000,
        description="Share of that engineer's time (%) for running the system",
    )
    on_call_per_month: Number = Field(
        default=Decimal(0),
        ge=0,
        le=1_000_000,
        description="USD/month for on-call pay",
    )
    contingency_percent: Integer = Field(
        default=5,
        ge=0,
        le=100,
        description="Reserve (%) on top of infrastructure and staffing, for forgotten costs",
    )
