"""Answers of each source, in the form that its documentation publishes.

- AWS: "Service Region index file for AWS services" and "Reading the service price list file" of the
  AWS Billing guide, docs.aws.amazon.com/awsaccountbilling/latest/aboutv2.
- AWS spot: DescribeSpotPriceHistory, docs.aws.amazon.com/AWSEC2/latest/APIReference.
- Azure: "Azure Retail Prices overview",
  learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices.
- Google: "Get Google Cloud pricing information", cloud.google.com/billing/v1/how-tos/catalog-api.
- gpuhunt: `Catalog` and CATALOG_V2_FIELDS of gpuhunt 0.1.34, github.com/dstackai/gpuhunt.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from tests.unit.catalog.importers.test_readers import (
    AWS_CSV,
    AZURE_ITEM,
    GOOGLE_PARTS,
    google_sku,
)
from tests.unit.price_sources.provider import Answer, Asked, Script

VERSION = "20261118-42"


def as_json(value: object) -> Answer:
    """Answers with JSON."""
    return Answer(json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def aws(*regions: str) -> Script:
    """Answers as the bulk API does, with an offer file for each region."""
    versions = {region: f"/offers/v1.0/aws/AmazonEC2/20261103/{region}/index" for region in regions}
    index = {
        "formatVersion": "v1.0",
        "disclaimer": "This pricing list is for informational purposes only.",
        "publicationDate": "2026-11-03T18:00:00Z",
        "regions": {
            region: {"regionCode": region, "currentVersionUrl": f"{path}.json"}
            for region, path in versions.items()
        },
    }
    offers = {
        f"{path}.csv": AWS_CSV.replace("us-east-1", region) for region, path in versions.items()
    }

    def script(asked: Asked) -> Answer:
        if asked.path == "/offers/v1.0/aws/AmazonEC2/current/region_index.json":
            return as_json(index)
        if asked.path in offers:
            return Answer(offers[asked.path].encode())
        return Answer(status=404)

    return script


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
    """Answers with two pages, on demand and spot; the link is that of the real service."""
    second = "$skip" in asked.query
    change: dict[str, Any] = (
        {"skuName": "NC24ads A100 v4 Spot", "retailPrice": 0.67878} if second else {}
    )
    query = f"$filter={quote(asked.query['$filter'])}&$skip=1000"
    link = f"https://prices.azure.com:443/api/retail/prices?{query}"
    return as_json(
        {
            "BillingCurrency": "USD",
            "CustomerEntityId": "Default",
            "CustomerEntityType": "Retail",
            "Items": [{**AZURE_ITEM, **change}],
            "NextPageLink": None if second else link,
            "Count": 1,
        }
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


def gpuhunt(asked: Asked) -> Answer:
    """Answers as the bucket of the catalogs does."""
    provider, _, rest = asked.path.lstrip("/").partition("/")
    if provider in CATALOGS and rest == "version":
        return Answer(f"{VERSION}\n".encode())
    if provider in CATALOGS and rest == f"{VERSION}/catalog.zip":
        return Answer(packed(f"{provider}.csv", CATALOGS[provider]))
    return Answer(status=404)
