"""What the users of `bench.first_hour` bring: a log, a bill, stack files, an image, weights."""

from __future__ import annotations

import csv
import json
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from tests.unit.bundle.builders import REVISION, finish_layout, make_image, make_model

__all__ = ["REVISION", "write_bill", "write_closed_stack", "write_finops", "write_log"]

_REQUESTS = 20_000
_HOURLY = (1, 1, 1, 1, 1, 1, 2, 4, 8, 10, 10, 9, 8, 9, 10, 10, 9, 7, 5, 4, 3, 2, 1, 1)
_DAILY = (5, 5, 5, 5, 5, 1, 1) * 2
# Service, usage type, machine, unit, USD for one unit, units of an hour.
_USES = (
    ("AmazonEC2", "BoxUsage:g6e.xlarge", "g6e.xlarge", "Hrs", 1.49, 2.6),
    ("AmazonEC2", "EBS:VolumeUsage.gp3", "", "GB-Mo", 0.08, 0.3),
    ("AmazonEKS", "AmazonEKS-Hours:perCluster", "", "Hrs", 0.10, 1.0),
    ("AmazonEFS", "TimedStorage-ByteHrs", "", "GB-Mo", 0.30, 0.05),
    ("AmazonEC2", "BoxUsage:m6i.xlarge", "m6i.xlarge", "Hrs", 0.192, 2.6),
)
_OBSERVED = {
    "tokensPerDay": 430_000_000,
    "burstFactor": 4.4,
    "apiPerMonth": 610,
    "staffingPerMonth": 3000,
}
_PRIVATE_PRICES = """identifier,usd,unit,as_of,source,terms
node/aws/us-east-1/g6e.xlarge/on-demand,1.49,node-hour,2026-11-15,contract of 2026-11-15,private
"""


def write_log(folder: Path) -> None:
    """Write two weeks of an agent's requests, as LiteLLM exports them: long, mostly cached."""
    drawn = random.Random(3)  # noqa: S311  # a made-up log, the same at each run
    start = datetime(2026, 11, 2, tzinfo=UTC)
    with (folder / "log.jsonl").open("w", encoding="utf-8") as file:
        for number in range(_REQUESTS):
            [day] = drawn.choices(range(len(_DAILY)), weights=_DAILY)
            [hour] = drawn.choices(range(len(_HOURLY)), weights=_HOURLY)
            begin = start + timedelta(days=day, hours=hour, seconds=drawn.random() * 3600)
            prompt = min(int(drawn.lognormvariate(9.2, 0.5)), 60_000)
            answer = int(drawn.lognormvariate(5.6, 0.7))
            cached = int(prompt * 0.85)
            row = {
                "request_id": str(number),
                "call_type": "acompletion",
                "model": "gpt-4.1",
                "startTime": begin.isoformat(),
                "endTime": (begin + timedelta(seconds=3)).isoformat(),
                "prompt_tokens": prompt,
                "completion_tokens": answer,
                "total_tokens": prompt + answer,
                "spend": ((prompt - cached) * 2 + cached * 0.5 + answer * 8) / 1e6,
                "cache_hit": "False",
                "metadata": {
                    "usage_object": {
                        "prompt_tokens": prompt,
                        "completion_tokens": answer,
                        "prompt_tokens_details": {"cached_tokens": cached},
                    }
                },
            }
            file.write(json.dumps(row) + "\n")


def write_bill(folder: Path) -> None:
    """Write a month of AWS CUR 2.0 of stack finops, and what else is known of that month."""
    start = datetime(2026, 11, 1, tzinfo=UTC)
    with (folder / "bill.csv").open("w", encoding="utf-8", newline="") as file:
        writer: csv.DictWriter[str] | None = None
        for hour in range(30 * 24):
            begin = start + timedelta(hours=hour)
            for service, usage, machine, unit, price, units in _USES:
                row = {
                    "bill_bill_type": "Anniversary",
                    "bill_billing_entity": "AWS",
                    "bill_billing_period_start_date": "2026-11-01T00:00:00Z",
                    "bill_billing_period_end_date": "2026-12-01T00:00:00Z",
                    "line_item_currency_code": "USD",
                    "line_item_line_item_type": "Usage",
                    "line_item_product_code": service,
                    "line_item_unblended_cost": round(price * units, 6),
                    "line_item_usage_amount": units,
                    "line_item_usage_start_date": begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "line_item_usage_end_date": (begin + timedelta(hours=1)).strftime(
                        "%Y-%m-%dT%H:%M:%SZ"
                    ),
                    "line_item_usage_type": usage,
                    "pricing_unit": unit,
                    "product_instance_type": machine,
                    "product_region_code": "us-east-1",
                    "reservation_effective_cost": "",
                    "savings_plan_savings_plan_effective_cost": "",
                    "resource_tags": '{"user_stack":"finops"}',
                }
                if writer is None:
                    writer = csv.DictWriter(file, list(row))
                    writer.writeheader()
                writer.writerow(row)
    (folder / "observed.yaml").write_text(yaml.safe_dump(_OBSERVED), encoding="utf-8")


def write_finops(clone: Path) -> None:
    """Write a private price, and stack hybrid with a contract price of its API as stack finops."""
    stacks = clone / "stacks"
    (stacks / "prices").mkdir(exist_ok=True)
    (stacks / "prices" / "aws.csv").write_text(_PRIVATE_PRICES, encoding="utf-8")
    values = yaml.safe_load((stacks / "Pulumi.hybrid.yaml").read_text(encoding="utf-8"))
    config = values["config"]
    config["breakeven:pool"]["instanceTypes"] = ["g6e.xlarge"]
    api = "openai/gpt-4.1-mini"
    config["breakeven:api"] = {"inUse": api, "terms": {api: {"discountPercent": 20}}}
    (stacks / "Pulumi.finops.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")


def write_closed_stack(clone: Path, folder: Path, upstream: str, registry: str) -> None:
    """Point stack air-gapped to an image and registries of this machine, and make its weights.

    Args:
        clone: The clone, whose stack file changes.
        folder: Where the weights go, in a folder named by their revision.
        upstream: HOST:PORT of the registry outside, which gets the image.
        registry: HOST:PORT of the registry inside, which stays empty.
    """
    layout = folder / "made"
    reference = make_image(layout, "vllm-openai", host=upstream)
    finish_layout(layout, reference)
    tagged = f"{reference.host}/{reference.path}:v0.24.0"
    subprocess.run(
        [
            *("oras", "copy", "--no-tty", "--to-plain-http", "--from-oci-layout"),
            *(f"{layout}@{reference.digest}", tagged),
        ],
        check=True,
        capture_output=True,
    )
    make_model(folder)
    file = clone / "stacks" / "Pulumi.air-gapped.yaml"
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    config = values["config"]
    config["breakeven:network"]["registry"] = registry
    config["breakeven:engine"]["image"] = f"{tagged}@{reference.digest}"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
