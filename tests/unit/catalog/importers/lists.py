"""Price lists in forms that name products apart from prices, or have a row a zone.

Forms: "get-products" of the AWS CLI (docs.aws.amazon.com/cli, pricing), the EC2 API reference
(DescribeSpotPriceHistory), skypilot-org/skypilot-catalog (catalogs/v8), and gpuhunt 0.1.34
(CATALOG_V2_FIELDS of its storage module).
"""

from __future__ import annotations

import json
from typing import Any


def get_products(*products: dict[str, Any]) -> str:
    """Makes an answer of `aws pricing get-products`, which holds each product as a text."""
    return json.dumps(
        {"FormatVersion": "aws_v1", "PriceList": [json.dumps(item) for item in products]}
    )


def product(
    *terms: tuple[str, str], published: str = "2026-11-15T00:00:00Z", **attributes: str
) -> dict[str, Any]:
    """Makes a product with terms on demand, each from a day on at USD an hour."""
    plain = {
        "instanceType": "g6e.xlarge",
        "operatingSystem": "Linux",
        "tenancy": "Shared",
        "capacitystatus": "Used",
        "preInstalledSw": "NA",
        "operation": "RunInstances",
        "marketoption": "OnDemand",
        "regionCode": "us-east-1",
    }
    return {
        "product": {
            "productFamily": "Compute Instance",
            "sku": "PLAIN",
            "attributes": {**plain, **attributes},
        },
        "serviceCode": "AmazonEC2",
        "terms": {
            "OnDemand": {
                f"PLAIN.{number}": {
                    "sku": "PLAIN",
                    "effectiveDate": start,
                    "priceDimensions": {
                        f"PLAIN.{number}.RATE": {
                            "unit": "Hrs",
                            "beginRange": "0",
                            "endRange": "Inf",
                            "pricePerUnit": {"USD": usd},
                        }
                    },
                }
                for number, (start, usd) in enumerate(terms)
            },
            "Reserved": {
                "PLAIN.R": {
                    "effectiveDate": "2020-01-01T00:00:00Z",
                    "termAttributes": {"LeaseContractLength": "1yr"},
                    "priceDimensions": {
                        "PLAIN.R.RATE": {"unit": "Hrs", "pricePerUnit": {"USD": "0.5"}}
                    },
                }
            },
        },
        "version": "20261115",
        "publicationDate": published,
    }


GET_PRODUCTS = get_products(
    product(("2026-11-01T00:00:00Z", "1.7000000000")),
    product(("2026-11-01T00:00:00Z", "9"), operatingSystem="Windows"),
    product(("2026-11-01T00:00:00Z", "9"), instanceType="t2.nano"),
)


def spot(
    usd: str, at: str, *, zone: str = "us-east-1a", kind: str = "Linux/UNIX"
) -> dict[str, str]:
    """Makes a change of a spot price."""
    return {
        "AvailabilityZone": zone,
        "InstanceType": "g6e.xlarge",
        "ProductDescription": kind,
        "SpotPrice": usd,
        "Timestamp": at,
    }


SPOT_HISTORY = json.dumps(
    {
        "SpotPriceHistory": [
            spot("0.910000", "2026-11-19T06:00:00+00:00"),
            spot("0.700000", "2026-11-10T06:00:00+00:00"),
            spot("0.950000", "2026-11-18T06:00:00+00:00", zone="us-east-1b"),
            spot("1.900000", "2026-11-17T06:00:00+00:00", zone="us-east-1b"),
            spot("2.500000", "2026-11-19T06:00:00+00:00", kind="Windows"),
            spot("2.600000", "2026-11-19T06:00:00+00:00", zone="us-east-1-bos-1a"),
            spot("2.700000", "2026-11-19T06:00:00+00:00", zone="eu-west-1a"),
        ]
    },
    indent=1,
)

SKYPILOT = """\
InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,\
AvailabilityZone,Arch
g6e.xlarge,L40S,1.0,4.0,32.0,"{'Gpus': [{'Name': 'L40S'}]}",1.861,0.8,us-east-1,use1-az1,x86_64
g6e.xlarge,L40S,1.0,4.0,32.0,"{'Gpus': [{'Name': 'L40S'}]}",1.861,0.9,us-east-1,use1-az2,x86_64
g6e.xlarge,L40S,1.0,4.0,32.0,"{'Gpus': [{'Name': 'L40S'}]}",1.861,0.7,eu-west-1,euw1-az1,x86_64
p5.48xlarge,H100,8.0,192.0,2048.0,,55.04,,us-east-1,use1-az1,x86_64
t2.nano,,,1.0,0.5,,0.0058,0.0017,us-east-1,use1-az1,x86_64
"""

SKYPILOT_GOOGLE = """\
InstanceType,vCPUs,MemoryGiB,AcceleratorName,AcceleratorCount,GpuInfo,Region,AvailabilityZone,\
Price,SpotPrice
a2-ultragpu-1g,12.0,170.0,,,,us-central1,us-central1-a,1.09962,0.54978
e2-standard-4,4.0,16.0,,,,us-central1,us-central1-a,0.13402,0.05
,,,A100-80GB,1,,us-central1,us-central1-a,3.93,1.9
"""

SKYPILOT_LAMBDA = """\
InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice
gpu_8x_h100_sxm5,H100-SXM,8.0,208.0,1800.0,31.92,us-east-1,,
gpu_8x_h100_sxm5,H100-SXM,8.0,208.0,1800.0,31.92,europe-central-1,,
"""

GPUHUNT = """\
instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor,\
flags,cpu_arch,provider_data
g6e.xlarge,us-east-1,1.861,4,32.0,1,L40S,48.0,False,,nvidia,,x86,{}
g6e.xlarge,us-east-1,0.85,4,32.0,1,L40S,48.0,True,,nvidia,,x86,{}
g6e.xlarge,eu-west-1,1.9,4,32.0,1,L40S,48.0,False,,nvidia,,x86,{}
t2.nano,us-east-1,0.01,1,0.5,0,,,False,,,,x86,{}
"""

GPUHUNT_GOOGLE = """\
instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor,\
flags,cpu_arch,provider_data
a2-ultragpu-1g,us-central1-a,5.0688,12,170.0,1,A100,80.0,False,,nvidia,,x86,{}
a2-ultragpu-1g,us-central1-c,2.5,12,170.0,1,A100,80.0,False,,nvidia,gcp-dws-calendar-mode,x86,{}
"""
