"""Dashboards and panels in the few forms that the kit uses, based on Grafana's builders."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.builders.common import VizTooltipOptions as Tooltip
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import (
    LegendDisplayMode,
    LegendPlacement,
    TimeZoneBrowser,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from breakeven.settings.stack import Settings

_WIDTH = 24
_SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")


@dataclass(frozen=True, slots=True)
class Query:
    """A query and the legend of its series."""

    expression: str
    legend: str


class Board:
    """A dashboard under construction; panels are placed from left to right.

    Args:
        settings: The stack's settings.
        reader: Its reader, for title and address.
        span: Time shown at first, such as "6h".
    """

    def __init__(self, settings: Settings, reader: str, span: str) -> None:
        namespace, model = settings.network.namespace, settings.model.facts.name
        # Grafana allows 40 characters, a namespace has up to 63. The address of the model with the
        # plain names does not change when others are listed, so that links to it hold.
        whose = f"{namespace}/{settings.name}" if settings.qualifier else namespace
        digest = hashlib.sha256(whose.encode()).hexdigest()[:12]
        self._panels = 0
        self._dashboard = (
            Dashboard(f"{model} in {namespace}: {reader}")
            .uid(f"breakeven-{digest}-{reader.replace(' ', '-')}")
            .tags(["breakeven", "vllm"])
            .refresh("30s")
            .time(f"now-{span}", "now")
            .timezone(TimeZoneBrowser)
            .readonly()
            .tooltip(models.DashboardCursorSync.CROSSHAIR)
            .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        )

    def build(self) -> models.Dashboard:
        """Returns the finished dashboard."""
        return self._dashboard.build()

    def row(self, title: str) -> None:
        """Starts a new row under a heading."""
        self._dashboard.with_row(Row(title).id(self._next()))

    def lines(
        self, title: str, unit: str, *queries: Query, explained: str, width: int = 12
    ) -> None:
        """Adds curves over time.

        Args:
            title: Heading.
            unit: Grafana's name of the unit, such as "s" or "currencyUSD".
            queries: Series to draw.
            explained: Explanation, for the panel's tooltip.
            width: In columns of 24.
        """
        panel = (
            Timeseries()
            .id(self._next())
            .title(title)
            .description(explained)
            .datasource(_SOURCE)
            .unit(unit)
            .min(0)
            .height(8)
            .span(width)
            .legend(
                VizLegendOptions()
                .show_legend(True)  # noqa: FBT003  # the builder's own signature
                .display_mode(LegendDisplayMode.LIST)
                .placement(LegendPlacement.BOTTOM)
            )
            .tooltip(Tooltip().mode(TooltipDisplayMode.MULTI))
        )
        for position, query in enumerate(queries):
            panel.with_target(_target(query, position))
        self._dashboard.with_panel(panel)

    def figure(
        self,
        title: str,
        unit: str,
        expression: str,
        *,
        explained: str,
        alarm: float | None = None,
    ) -> None:
        """Adds one number, the latest; red from `alarm` on."""
        steps = [models.Threshold(color="green")]
        if alarm is not None:
            steps.append(models.Threshold(value=alarm, color="red"))
        panel = (
            Stat()
            .id(self._next())
            .title(title)
            .description(explained)
            .datasource(_SOURCE)
            .unit(unit)
            .height(4)
            .span(4)
            .thresholds(ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
            .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
            .with_target(_target(Query(expression, ""), 0).instant())
        )
        self._dashboard.with_panel(panel)

    def table(self, title: str, expression: str, *, explained: str) -> None:
        """Adds the series of an expression with their labels, as they are now."""
        panel = (
            Table()
            .id(self._next())
            .title(title)
            .description(explained)
            .datasource(_SOURCE)
            .height(6)
            .span(_WIDTH)
            .with_target(_target(Query(expression, ""), 0).instant().format(PromQueryFormat.TABLE))
        )
        self._dashboard.with_panel(panel)

    def _next(self) -> int:
        self._panels += 1
        return self._panels


def _target(query: Query, position: int) -> Dataquery:
    return (
        Dataquery()
        .ref_id("ABCDEFGH"[position])
        .datasource(_SOURCE)
        .expr(query.expression)
        .legend_format(query.legend)
    )


def quantile(series: str, share: str) -> str:
    """Returns a quantile of recorded buckets.

    Args:
        series: A recorded series by le.
        share: The quantile, such as "0.95".
    """
    return f"histogram_quantile({share}, {series})"
