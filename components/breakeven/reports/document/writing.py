"""A report as plain values: for the stack's output, `--format json` and the policies."""

from __future__ import annotations

from decimal import Decimal

from breakeven.catalog.price import PRIVATE
from breakeven.cost.availability import Availability
from breakeven.cost.bill.by_model import ModelCost
from breakeven.cost.bill.line_item import LineItem
from breakeven.cost.fleet.simulation.result import SimulatedWeek
from breakeven.cost.hybrid import Hybrid
from breakeven.cost.levers import Lever
from breakeven.cost.recommendation import Option
from breakeven.cost.report import ApiCost, BreakEvenAgainst, Report, Shortfall, Starts
from breakeven.cost.staffing_guidance import StaffingGuidance
from breakeven.money import to_decimal
from breakeven.reports.document.candidate import candidate_parts
from breakeven.reports.document.parts import (
    ApiPart,
    AvailabilityOptionPart,
    AvailabilityPart,
    BreakEvenPart,
    HybridPart,
    LeverPart,
    LineItemPart,
    ModelPart,
    NotPricedPart,
    OptionPart,
    OutlookPart,
    RecommendationPart,
    SelfHostedPart,
    ShortfallPart,
    ShownCurrencyPart,
    SimulatedPart,
    StaffingGuidancePart,
    StartsPart,
)
from breakeven.reports.document.quality import quality_part
from breakeven.reports.document.report import VERSION, ReportDocument
from breakeven.reports.formatting import money, month_name, rate
from breakeven.reports.sentences import recommendation
from breakeven.reports.sentences.apis import comparison_caveats, finding_sentence
from breakeven.reports.sentences.line_items import (
    item_name,
    item_source,
    not_priced_name,
    not_priced_reason,
)
from breakeven.reports.sentences.notes import price_sources, report_notes
from breakeven.reports.tables import findings


def summary(report: Report) -> dict[str, object]:
    """Returns the figures of the tables, short enough to be read as a stack's output.

    Money are decimal strings in USD a month, break-even is tokens a day, None for never.
    """
    return {
        "total": money(report.total),
        "perMillionTokens": rate(report.usd_per_million_tokens),
        "resources": {
            line.key: PRIVATE if line.private else money(line.monthly)
            for line in report.infrastructure.lines
        },
        "people": {
            **{line.key: money(line.monthly) for line in report.staffing},
            "contingency": money(report.bill.contingency),
        },
        "notPriced": [
            f"{not_priced_name(item)}: {not_priced_reason(item)}"
            for item in report.infrastructure.not_priced
        ],
        "api": {report.api.price.reference: money(report.api.monthly)},
        "sameModelHosted": {cost.price.reference: money(cost.monthly) for cost in report.hosted},
        "breakEven": {
            row.api.price.reference: row.loaded.first_volume for row in report.break_even
        },
        "findings": list(findings(report)),
        "recommendation": report.verdict.choice,
        "reason": recommendation.summary(report.verdict),
    }


def as_output(report: Report) -> dict[str, object]:
    """Returns all figures as plain values, with quantities, prices, sources and dates.

    Money are decimal strings in USD a month.
    """
    return report_document(report).model_dump(by_alias=True)


def report_document(report: Report) -> ReportDocument:
    """Returns the JSON form of a report."""
    budget, infrastructure = report.assumptions.budget_per_month, report.infrastructure
    own_tokens = report.usd_per_million_own_tokens
    return ReportDocument(
        version=VERSION,
        currency="USD",
        month=month_name(report.assumptions.calendar),
        tokens_per_day=report.assumptions.tokens_per_day,
        budget_per_month=None if budget is None else money(budget),
        self_hosted=SelfHostedPart(
            total=money(report.total),
            per_million_tokens=rate(report.usd_per_million_tokens),
            per_million_own_tokens=None if own_tokens is None else rate(own_tokens),
            machines=money(infrastructure.monthly),
            people=money(report.bill.staffing_monthly),
            contingency=money(report.bill.contingency),
            overflow_by_api=money(report.bill.overflow_monthly),
            lines=[_line_item(line) for line in (*infrastructure.lines, *report.staffing)],
            not_priced=[
                NotPricedPart(
                    name=not_priced_name(item), type=item.type, reason=not_priced_reason(item)
                )
                for item in infrastructure.not_priced
            ],
            without_charge=len(infrastructure.without_charge),
            busy_share=round(report.week.busy_share, 4),
            unserved_share=round(report.week.unserved_share, 4),
            mean_nodes=round(report.week.mean_nodes, 4),
            peak_replicas=report.week.peak_replicas,
        ),
        staffing_guidance=_staffing(report.staffing_guidance),
        simulated=_simulated(report.simulated),
        starts=_starts(report.starts),
        outlook=_outlook(report),
        availability=None if report.availability is None else _availability(report.availability),
        quality=quality_part(report),
        shown_currency=_shown_currency(report),
        models=[_model(model) for model in report.models],
        api=_api(report, report.api),
        hosted=[_api(report, api) for api in report.hosted],
        break_even=[_break_even(row) for row in report.break_even],
        hybrid=None if report.hybrid is None else _hybrid(report.hybrid),
        recommendation=RecommendationPart(
            choice=report.verdict.choice,
            monthly=money(report.verdict.monthly),
            summary=recommendation.summary(report.verdict),
            reasons=[
                *recommendation.reasons(report.verdict),
                *comparison_caveats(report.assumptions),
            ],
            options=[_option(option, report) for option in report.verdict.options],
        ),
        shortfall=None if report.shortfall is None else _shortfall(report.shortfall),
        levers=None if report.levers is None else [_lever(each) for each in report.levers],
        candidates=candidate_parts(report, _line_item),
        notes=[
            *report_notes(report),
            *price_sources(report),
        ],
    )


def _staffing(guidance: StaffingGuidance) -> StaffingGuidancePart:
    return StaffingGuidancePart(
        stated_percent=rate(guidance.stated * 100),
        low_percent=rate(guidance.low * 100),
        high_percent=rate(guidance.high * 100),
        nodes=guidance.nodes,
        outside=guidance.outside,
    )


def _starts(starts: Starts) -> StartsPart:
    return StartsPart(
        nodes=rate(starts.nodes), replicas=rate(starts.replicas), monthly=money(starts.monthly)
    )


def _outlook(report: Report) -> OutlookPart | None:
    outlook, own, api = report.assumptions.outlook, report.serving_total, report.api.monthly
    if not outlook.one_off and not outlook.years:
        return None
    return OutlookPart(
        one_off=money(outlook.one_off),
        payback_months=outlook.payback_months(own, api) if outlook.one_off else None,
        horizon_years=outlook.years,
        api_price_change_percent=rate(outlook.api_change * 100),
        residual_value=money(outlook.residual),
        self_hosted=money(outlook.own_total(own) if outlook.years else Decimal(0)),
        api=money(outlook.api_total(api)),
    )


def _availability(found: Availability) -> AvailabilityPart:
    return AvailabilityPart(
        target_percent=_percent(found.target),
        nodes=found.nodes,
        node_failures_per_year=round(found.failures_per_year, 4),
        recovery_hours=round(found.recovery_hours, 4),
        options=[
            AvailabilityOptionPart(
                kind=option.kind,
                expected_percent=None if option.expected is None else _percent(option.expected),
                monthly=None if option.monthly is None else money(option.monthly),
            )
            for option in found.options
        ],
    )


def _percent(share: float) -> str:
    return rate(to_decimal(share) * 100)


def _shown_currency(report: Report) -> ShownCurrencyPart | None:
    currency = report.assumptions.currency
    if currency.as_of is None:
        return None
    return ShownCurrencyPart(
        code=currency.code,
        per_usd=rate(currency.per_usd),
        as_of=currency.as_of.isoformat(),
        self_hosted=money(currency.of(report.total)),
        per_million_tokens=rate(currency.of(report.usd_per_million_tokens)),
        api=money(currency.of(report.api.monthly)),
        recommended=money(currency.of(report.verdict.monthly)),
    )


def _model(model: ModelCost) -> ModelPart:
    hosted, monthly = model.hosted, model.hosted_monthly
    return ModelPart(
        model=model.assumptions.model_name,
        tokens_per_day=model.assumptions.load.tokens_per_day,
        own=money(model.own),
        total=money(model.total),
        per_million_tokens=rate(model.usd_per_million_tokens),
        busy_share=round(model.busy_share, 4),
        mean_nodes=round(model.mean_nodes, 4),
        peak_replicas=model.week.peak_replicas,
        api_in_use=model.assumptions.api_in_use.reference,
        api_monthly=money(model.api_monthly),
        hosted=None if hosted is None else hosted.reference,
        hosted_monthly=None if monthly is None else money(monthly),
    )


def _simulated(week: SimulatedWeek) -> SimulatedPart:
    totals = week.totals
    return SimulatedPart(
        first_token_seconds=week.objective_seconds,
        objective_share=round(totals.objective_share, 4),
        mean_queueing_seconds=round(totals.mean_queueing_seconds, 3),
        cold_share=round(totals.cold_share, 4),
        overflow_share=round(totals.overflow_share, 4),
        most_replicas=totals.peak_replicas,
    )


def _line_item(line: LineItem) -> LineItemPart:
    return LineItemPart(
        identifier=line.identifier,
        item=item_name(line),
        key=line.key,
        quantity=rate(line.quantity),
        unit=line.unit,
        unit_price=None if line.private else rate(line.unit_price),
        monthly=None if line.private else money(line.monthly),
        source=item_source(line),
        as_of=line.as_of.isoformat() if line.as_of else None,
        confidence=line.confidence,
    )


def _api(report: Report, api: ApiCost) -> ApiPart:
    return ApiPart(
        api=api.price.reference,
        same_model=api.same_model,
        monthly=money(api.monthly),
        per_million_tokens=rate(report.usd_per_million_by(api)),
        source=api.price.source,
        as_of=api.price.as_of.isoformat(),
        decides=api.decides,
        findings=[finding_sentence(finding) for finding in api.price.findings],
        max_input_tokens=api.price.max_input_tokens,
        monthly_fee=money(api.price.monthly_fee),
        quantization=api.price.quantization,
        region=api.price.region,
    )


def _break_even(row: BreakEvenAgainst) -> BreakEvenPart:
    return BreakEvenPart(
        against=row.api.price.reference,
        tokens_per_day=row.loaded.first_volume,
        tokens_per_day_machines_only=row.infrastructure_only.first_volume,
        tokens_per_day_if_capacity_is_low=row.loaded_low.first_volume,
        tokens_per_day_if_capacity_is_high=row.loaded_high.first_volume,
        tried_up_to_nodes=row.loaded.largest_nodes,
        tried_up_to_tokens_per_day=round(row.loaded.largest_tokens_per_day),
    )


def _option(option: Option, report: Report) -> OptionPart:
    tokens = report.assumptions.tokens_per_month / 10**6
    return OptionPart(
        choice=option.choice,
        monthly=money(option.monthly),
        monthly_if_slower=money(option.monthly_if_slower),
        per_million_tokens=rate(option.monthly / tokens),
        api=option.api or None,
    )


def _shortfall(shortfall: Shortfall) -> ShortfallPart:
    return ShortfallPart(
        findings=list(recommendation.shortfall_sentences(shortfall)),
        nodes=shortfall.nodes,
        mean_nodes=round(shortfall.mean_nodes, 4),
        monthly=money(shortfall.monthly),
    )


def _lever(lever: Lever) -> LeverPart:
    return LeverPart(
        kind=lever.kind,
        settings=dict(lever.settings),
        monthly=money(lever.monthly),
        saving=money(lever.saving),
    )


def _hybrid(hybrid: Hybrid) -> HybridPart:
    return HybridPart(
        nodes=hybrid.nodes,
        own_share=round(hybrid.own_share, 4),
        monthly=money(hybrid.monthly),
        own=money(hybrid.own_monthly),
        api=money(hybrid.api_monthly),
    )
