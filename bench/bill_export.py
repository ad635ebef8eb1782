"""Measures `breakeven reconcile` with made-up exports of a million rows, and judges it.

Exports of AWS CUR 2.0 and FOCUS 1.2 are made up, as CSV, CSV.gz and Parquet: a month of hourly rows
of an account in which one stack has one row in ten. Each is reconciled in a process of its own.
Exits with 1 where one takes more than 10 s of processor time or 500 MB at the peak.

Run: .venv/bin/python -m bench.bill_export
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[1]
START = datetime(2026, 10, 1, tzinfo=UTC)
HOURS = 31 * 24
SECONDS_LIMIT = 10.0
MEGABYTES_LIMIT = 500.0
STACK = "aws-prod"
TAGS = ("stack=aws-prod",)
# Service, usage type, machine, unit, USD for one unit; the first is the stack's GPU node.
USES = (
    ("AmazonEC2", "BoxUsage:g6e.xlarge", "g6e.xlarge", "Hrs", 1.861),
    ("AmazonEC2", "EBS:VolumeUsage.gp3", "", "GB-Mo", 0.08),
    ("AmazonEC2", "NatGateway-Hours", "", "Hrs", 0.045),
    ("AmazonEKS", "AmazonEKS-Hours:perCluster", "", "Hrs", 0.10),
    ("AmazonEFS", "TimedStorage-ByteHrs", "", "GB-Mo", 0.30),
    ("AmazonEC2", "BoxUsage:m7i.large", "m7i.large", "Hrs", 0.1008),
)


def hourly(rows: int) -> pl.DataFrame:
    """Make up rows: the hour, what is used, how much of it, its cost, and whose it is."""
    number = pl.int_range(rows, eager=True)
    use = number % len(USES)
    hour = number * HOURS // rows
    columns = list(zip(*USES, strict=True))
    names = ("service", "usage", "machine", "unit", "price")
    picked = {
        name: use.replace_strict(list(range(len(USES))), list(values))
        for name, values in zip(names, columns, strict=True)
    }
    begin = [START + timedelta(hours=one) for one in range(HOURS + 1)]
    text = [moment.strftime("%Y-%m-%dT%H:%M:%SZ") for moment in begin]
    return pl.DataFrame(picked).with_columns(
        number=number,
        start=hour.replace_strict(list(range(HOURS)), text[:-1]),
        end=hour.replace_strict(list(range(HOURS)), text[1:]),
        own=number % 10 == 0,
        quantity=1.0 + (number % 7) / 1000,
    )


def cur(rows: int) -> pl.DataFrame:
    """Return an export of AWS CUR 2.0, with the columns that people mostly select."""
    blank = pl.lit("")
    tags = pl.when("own").then(pl.lit('{"user_stack":"aws-prod","user_team":"search"}'))
    return hourly(rows).select(
        bill_bill_type=pl.lit("Anniversary"),
        bill_billing_entity=pl.lit("AWS"),
        bill_billing_period_end_date=pl.lit("2026-11-01T00:00:00Z"),
        bill_billing_period_start_date=pl.lit("2026-10-01T00:00:00Z"),
        bill_invoice_id=pl.lit("1234567890"),
        bill_payer_account_id=pl.lit("111122223333"),
        identity_line_item_id=pl.col("number").hash().cast(pl.String),
        identity_time_interval=pl.col("start") + "/" + pl.col("end"),
        line_item_availability_zone=pl.lit("us-east-1a"),
        line_item_currency_code=pl.lit("USD"),
        line_item_legal_entity=pl.lit("Amazon Web Services, Inc."),
        line_item_line_item_description=pl.col("price").cast(pl.String) + " per unit of usage",
        line_item_line_item_type=pl.lit("Usage"),
        line_item_operation=pl.lit("RunInstances"),
        line_item_product_code="service",
        line_item_resource_id=pl.lit("i-") + pl.col("number").cast(pl.String),
        line_item_unblended_cost=(pl.col("quantity") * pl.col("price")).round(10),
        line_item_unblended_rate="price",
        line_item_usage_account_id=pl.lit("111122223333"),
        line_item_usage_amount="quantity",
        line_item_usage_end_date="end",
        line_item_usage_start_date="start",
        line_item_usage_type="usage",
        pricing_public_on_demand_cost=(pl.col("quantity") * pl.col("price")).round(10),
        pricing_unit="unit",
        product_instance_type="machine",
        product_region_code=pl.lit("us-east-1"),
        reservation_effective_cost=blank,
        savings_plan_savings_plan_effective_cost=blank,
        resource_tags=tags.otherwise(pl.lit('{"user_team":"payments"}')),
    )


def focus(rows: int) -> pl.DataFrame:
    """Return an export of FOCUS 1.2."""
    cost = (pl.col("quantity") * pl.col("price")).round(10)
    tags = pl.when("own").then(pl.lit('{"stack":"aws-prod","team":"search"}'))
    return hourly(rows).select(
        BilledCost=cost,
        BillingAccountId=pl.lit("111122223333"),
        BillingCurrency=pl.lit("USD"),
        BillingPeriodEnd=pl.lit("2026-11-01T00:00:00Z"),
        BillingPeriodStart=pl.lit("2026-10-01T00:00:00Z"),
        ChargeCategory=pl.lit("Usage"),
        ChargeDescription=pl.col("price").cast(pl.String) + " per unit of usage",
        ChargePeriodEnd="end",
        ChargePeriodStart="start",
        ConsumedQuantity="quantity",
        ConsumedUnit="unit",
        ContractedCost=cost,
        EffectiveCost=cost,
        InvoiceIssuerName=pl.lit("Amazon Web Services, Inc."),
        ListCost=cost,
        ProviderName=pl.lit("AWS"),
        RegionId=pl.lit("us-east-1"),
        ResourceId=pl.lit("i-") + pl.col("number").cast(pl.String),
        ServiceCategory=pl.lit("Compute"),
        ServiceName="service",
        SkuId=pl.col("usage").hash().cast(pl.String),
        SkuMeter="usage",
        SkuPriceDetails=pl.lit('{"InstanceType":"') + pl.col("machine") + pl.lit('"}'),
        SubAccountId=pl.lit("111122223333"),
        Tags=tags.otherwise(pl.lit('{"team":"payments"}')),
    )


EXPORTS = {"cur": cur, "focus": focus}


def make(name: str, path: Path, rows: int) -> None:
    """Write an export as the ending of its file says."""
    frame = EXPORTS[name](rows)
    if path.suffix == ".parquet":
        frame.write_parquet(path, row_group_size=100_000)
    elif path.suffix == ".csv":
        frame.write_csv(path)
    else:
        plain = path.with_suffix("")
        frame.write_csv(plain)
        subprocess.run(["gzip", "-1f", str(plain)], check=True)


def measure(path: Path) -> tuple[float, float, str]:
    """Reconcile an export in a process of its own.

    Returns:
        Seconds of processor time, peak memory in MB, and the output.
    """
    start = "from breakeven.cli.start import main; main()"
    command = [sys.executable, "-c", start, "reconcile", STACK, "--from", str(path)]
    for tag in TAGS:
        command += ["--tag", tag]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "components")}
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    output = child.stdout.read() if child.stdout else ""
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"error: {path.name} could not be reconciled")
    return used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6, output


def main() -> int:
    """Measure every form.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--show", action="store_true", help="print what is found")
    options = parser.parse_args()
    within = True
    with tempfile.TemporaryDirectory(prefix="breakeven-bench-") as scratch:
        for name in EXPORTS:
            for ending in ("csv", "csv.gz", "parquet"):
                path = Path(scratch) / f"{name}.{ending}"
                # A process starts with the peak of the one that starts it, which has to stay small.
                with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                    pool.submit(make, name, path, options.rows).result()
                seconds, memory, output = measure(path)
                within &= seconds <= SECONDS_LIMIT and memory <= MEGABYTES_LIMIT
                print(
                    f"{path.name:14} {options.rows:>10,} rows {path.stat().st_size / 1e6:>7.1f} MB "
                    f"{seconds:>6.2f} s {memory:>7.1f} MB at the peak",
                    flush=True,
                )
                if options.show:
                    print(output)
                path.unlink()
    print(f"{'within' if within else 'ABOVE'} {SECONDS_LIMIT:.0f} s and {MEGABYTES_LIMIT:.0f} MB")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main())
