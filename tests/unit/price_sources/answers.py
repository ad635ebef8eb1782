"""Answers of each source, in the form that its documentation publishes.

- AWS: "Service Region index file for AWS services" and "Reading the service price list file" of the
  AWS Billing guide, docs.aws.amazon.com/awsaccountbilling/latest/aboutv2.
- AWS spot: DescribeSpotPriceHistory, docs.aws.amazon.com/AWSEC2/latest/APIReference.
- Azure: "Azure Retail Prices overview",
  learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices.
- Google: "Get Google Cloud pricing information", cloud.google.com/billing/v1/how-tos/catalog-api.
- Token prices: `UpdatePrices` of genai-prices 0.2.3 and prices/new_data/v2/data.json of
  github.com/pydantic/genai-prices.
- gpuhunt: `Catalog` and CATALOG_V2_FIELDS of gpuhunt 0.1.34, github.com/dstackai/gpuhunt.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.unit.catalog.apis.test_token_price_file import OPENAI
from tests.unit.catalog.importers.test_readers import (
    AWS_CSV,
    AZURE_ITEM,
    GOOGLE_PARTS,
    aws_csv,
    google_sku,
)
from tests.unit.price_sources.provider import Answer, Asked, Script

VERSION = "20261118-42"


def as_json(value: object) -> Answer:
    """Answers with JSON."""
    return Answer(json.dumps(value).encode(), headers={"Content-Type": "application/json"})


SERVICES = {
    "AWSELB": ("Load Balancer-Network", "LoadBalancerUsage", "Hrs", "0.0225"),
    "AmazonEFS": ("Storage", "TimedStorage-ByteHrs", "GB-Mo", "0.30"),
    "AmazonEKS": ("Compute", "AmazonEKS-Hours:perCluster", "Hours", "0.10"),
    "AmazonVPC": ("VPC Public IPv4 Address", "PublicIPv4:InUseAddress", "Hrs", "0.005"),
}
"""Product family, usage type, unit and price of a product of each offer."""


def aws(*regions: str) -> Script:
    """Answers as the bulk API does, with the offer files of each region."""
    texts = {
        "AmazonEC2": AWS_CSV,
        **{name: aws_offer(name, *product) for name, product in SERVICES.items()},
    }

    def script(asked: Asked) -> Answer:
        parts = asked.path.split("/")
        if not asked.path.startswith("/offers/v1.0/aws/") or parts[4] not in texts:
            return Answer(status=404)
        if parts[5:] == ["current", "region_index.json"]:
            return as_json(region_index(parts[4], regions))
        if parts[5] == "20261103" and parts[6] in regions and parts[7:] == ["index.csv"]:
            return Answer(texts[parts[4]].replace("us-east-1", parts[6]).encode())
        return Answer(status=404)

    return script


def region_index(offer: str, regions: tuple[str, ...]) -> dict[str, Any]:
    """Makes the region index of an offer."""
    return {
        "formatVersion": "v1.0",
        "disclaimer": "This pricing list is for informational purposes only.",
        "publicationDate": "2026-11-03T18:00:00Z",
        "regions": {
            region: {
                "regionCode": region,
                "currentVersionUrl": f"/offers/v1.0/aws/{offer}/20261103/{region}/index.json",
            }
            for region in regions
        },
    }


def aws_offer(name: str, family: str, usage: str, unit: str, usd: str) -> str:
    """Makes an offer file of one product that is not a machine."""
    product = {
        "Product Family": family,
        "usageType": usage,
        "Unit": unit,
        "PricePerUnit": usd,
        "Instance Type": "",
    }
    lines = aws_csv(product).splitlines()
    return "\n".join(line for line in lines if '"PLAIN"' not in line).replace("AmazonEC2", name)


def spot_page(items: list[dict[str, str]], token: str = "") -> Answer:
    """Answers as the EC2 API does."""
    inner = "".join(
        "<item>"
        + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in item.items())
        + "</item>"
        for item in items
    )
    return Answer(
        (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<DescribeSpotPriceHistoryResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
            "<requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>"
            f"<spotPriceHistorySet>{inner}</spotPriceHistorySet><nextToken>{token}</nextToken>"
            "</DescribeSpotPriceHistoryResponse>"
        ).encode()
    )


def spot_item(usd: str, zone: str = "us-east-1a") -> dict[str, str]:
    """Makes an item of the history."""
    return {
        "instanceType": "g6e.xlarge",
        "productDescription": "Linux/UNIX",
        "spotPrice": usd,
        "timestamp": "2026-11-18T10:00:00.000Z",
        "availabilityZone": zone,
    }


def spot(asked: Asked) -> Answer:
    """Answers with two pages: a zone each."""
    if asked.query.get("NextToken") == "page+2/=":
        return spot_page([spot_item("0.95", "us-east-1b")])
    return spot_page([spot_item("0.91")], "page+2/=")


def azure(asked: Asked) -> Answer:
    """Answers with the items of a filter, one a page; the link is that of the real service."""
    wanted = asked.query["$filter"]
    items = [item for item in AZURE_ITEMS if all(part in wanted for part in _filters(item))]
    place = int(asked.query.get("$skip", "0"))
    more = place + 1 < len(items)
    query = f"$filter={quote(wanted)}&$skip={place + 1}"
    link = f"https://prices.azure.com:443/api/retail/prices?{query}"
    return as_json(
        {
            "BillingCurrency": "USD",
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": items[place : place + 1],
            "NextPageLink": link if more else None,
            "Count": len(items[place : place + 1]),
        }
    )


AZURE_ITEMS = [
    AZURE_ITEM,
    {**AZURE_ITEM, "skuName": "NC24ads A100 v4 Spot", "retailPrice": 0.67878},
    {
        **AZURE_ITEM,
        "type": "Reservation",
        "reservationTerm": "1 Year",
        "retailPrice": 21900.0,
    },
    {
        **AZURE_ITEM,
        "serviceName": "Load Balancer",
        "meterName": "Standard Included LB Rules and Outbound Rules",
        "armRegionName": "Global",
        "armSkuName": "",
        "retailPrice": 0.025,
    },
]


def _filters(item: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"serviceName eq '{item['serviceName']}'",
        f"armRegionName eq '{item['armRegionName']}'",
        f"priceType eq '{item['type']}'",
    )


def google(asked: Asked) -> Answer:
    """Answers with two pages of SKUs."""
    parts = list(GOOGLE_PARTS.items())
    second = asked.query.get("pageToken") == "AB+c=="
    page = parts[3:] if second else parts[:3]
    return as_json(
        {
            "skus": [google_sku(*part) for part in page],
            "nextPageToken": "" if second else "AB+c==",
        }
    )


def packed(name: str, text: str) -> bytes:
    """Makes a zip file with one member."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return file.getvalue()


CATALOG = """\
instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor,\
flags,cpu_arch,provider_data
{name},{location},{price},4,32.0,1,{gpu},48.0,{spot},,nvidia,,x86,{{}}
"""


def catalog(name: str, location: str, price: str, *, spot: bool = False, gpu: str = "H100") -> str:
    """Makes a catalog of one row."""
    return CATALOG.format(name=name, location=location, price=price, spot=spot, gpu=gpu)


CATALOGS = {
    "lambdalabs": catalog("gpu_8x_h100_sxm5", "us-east-1", "31.92"),
    "aws": catalog("g6e.xlarge", "us-east-1", "0.88", spot=True, gpu="L40S"),
    "gcp": catalog("a2-ultragpu-1g", "us-central1-a", "5.07", gpu="A100"),
    "azure": catalog("Standard_NC24ads_A100_v4", "eastus", "3.7", gpu="A100"),
}


def token_prices(asked: Asked) -> Answer:
    """Answers as genai-prices' repository does."""
    if asked.path == "/prices/new_data/v2/data.json":
        return as_json([OPENAI])
    return Answer(status=404)


def gpuhunt(asked: Asked) -> Answer:
    """Answers as the bucket of the catalogs does."""
    provider, _, rest = asked.path.lstrip("/").partition("/")
    if provider in CATALOGS and rest == "version":
        return Answer(f"{VERSION}\n".encode())
    if provider in CATALOGS and rest == f"{VERSION}/catalog.zip":
        return Answer(packed(f"{provider}.csv", CATALOGS[provider]))
    return Answer(status=404)
