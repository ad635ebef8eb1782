"""Small made-up exports of every kind; each has one GPU node's hour, a disk, and another's row."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def cur(**changed: Any) -> Row:
    return {
        "line_item_line_item_type": "Usage",
        "line_item_product_code": "AmazonEC2",
        "line_item_usage_type": "BoxUsage:g6e.xlarge",
        "product_instance_type": "g6e.xlarge",
        "line_item_usage_amount": "1.0",
        "pricing_unit": "Hrs",
        "line_item_unblended_cost": "1.8610000000",
        "line_item_currency_code": "USD",
        "line_item_usage_start_date": "2026-10-01T00:00:00Z",
        "line_item_usage_end_date": "2026-10-01T01:00:00Z",
        "resource_tags": '{"user_stack":"aws-prod"}',
        "savings_plan_savings_plan_effective_cost": "",
        "savings_plan_total_commitment_to_date": "",
        "savings_plan_used_commitment": "",
        "reservation_effective_cost": "",
        "reservation_unused_recurring_fee": "",
        **changed,
    }


def focus(**changed: Any) -> Row:
    return {
        "ChargeCategory": "Usage",
        "ServiceCategory": "Compute",
        "ServiceName": "Amazon Elastic Compute Cloud",
        "SkuMeter": "BoxUsage:g6e.xlarge",
        "ConsumedQuantity": "1.0",
        "ConsumedUnit": "Hours",
        "EffectiveCost": "1.861",
        "BillingCurrency": "USD",
        "ChargePeriodStart": "2026-10-01T00:00:00Z",
        "ChargePeriodEnd": "2026-10-01T01:00:00Z",
        "CommitmentDiscountStatus": "",
        "Tags": '{"stack":"aws-prod"}',
        **changed,
    }


def azure(**changed: Any) -> Row:
    return {
        "date": "10/01/2026",
        "meterCategory": "Virtual Machines",
        "meterSubCategory": "NCads H100 v5 Series",
        "meterName": "NC40ads H100 v5",
        "quantity": "24",
        "unitOfMeasure": "1 Hour",
        "costInBillingCurrency": "167.52",
        "billingCurrency": "USD",
        "chargeType": "Usage",
        "resourceId": "/subscriptions/1/vm/1",
        "tags": '"stack": "aws-prod","team": "search"',
        **changed,
    }


def google(**changed: Any) -> Row:
    return {
        "service": {"id": "6F81", "description": "Compute Engine"},
        "sku": {"id": "1", "description": "Nvidia L4 GPU running in Americas"},
        "usage_start_time": "2026-10-01 00:00:00 UTC",
        "usage_end_time": "2026-10-01 01:00:00 UTC",
        "labels": [{"key": "stack", "value": "aws-prod"}],
        "cost": 0.56,
        "currency": "USD",
        "usage": {"amount_in_pricing_units": 1.0, "pricing_unit": "hour"},
        "credits": [{"name": "sustained use", "amount": -0.06}],
        "cost_type": "regular",
        **changed,
    }
