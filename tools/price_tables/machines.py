"""Rows of machine prices: which machine of the book each is about.

Tables name a machine of a GPU cloud by its GPUs, such as "8x H100 SXM". Where the cloud's own name
is known it is used, else the words of the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from breakeven.catalog.gpus import load_gpus
from breakeven.catalog.node_shape import NodeShape
from breakeven.catalog.price import Price
from price_tables.rows import Skipped, priced

_PURCHASES = {
    "on_demand": "on-demand",
    "spot": "spot",
    "1y": "reserved-1y",
    "3y": "reserved-3y",
}

_GPUS = {
    "A10": "a10",
    "A100 40GB": "a100-40",
    "A100 40GB SXM": "a100-40",
    "A100 80GB": "a100-80",
    "A100 80GB SXM": "a100-80",
    "A100 80GB PCIe": "a100-80-pcie",
    "A100 80GB NVLink": "a100-80-pcie",
    "A10G": "a10g",
    "A40": "a40",
    "A6000": "rtx-a6000",
    "RTX A6000": "rtx-a6000",
    "B200": "b200",
    "B300": "b300",
    "GB200": "gb200",
    "GH200 96GB": "gh200",
    "H100": "h100",
    "H100 SXM": "h100",
    "H100 PCIe": "h100-pcie",
    "H100 NVLink": "h100-pcie",
    "H100 NVL 94GB": "h100-nvl",
    "H200": "h200",
    "L4": "l4",
    "L40": "l40",
    "L40S": "l40s",
    "MI300X": "mi300x",
    "RTX 4090": "rtx-4090",
    "RTX PRO 4500": "rtx-pro-4500",
    "RTX PRO 6000": "rtx-pro-6000",
    "RTX PRO 6000 SE": "rtx-pro-6000",
    "T4": "t4",
}
"""GPUs by the words of the tables. Hyperstack's "NVLink" is the PCIe card with a bridge."""

_FRACTIONS = {
    ("L4 (fraction)", "0.125"): "l4-eighth",
    ("L4 (fraction)", "0.25"): "l4-quarter",
    ("L4 (fraction)", "0.5"): "l4-half",
}
"""Parts of a GPU that the catalog has as a GPU of their own, by words and share."""

_PRESETS: Mapping[str, Mapping[str, tuple[tuple[str, int, int | None, int | None], ...]]] = {
    "lambda": {
        "1x A10": (("gpu_1x_a10", 1, 30, 226),),
        "1x A100 40GB SXM": (("gpu_1x_a100_sxm4", 1, None, None),),
        "1x A100 SXM 40GB": (("gpu_1x_a100_sxm4", 1, None, None),),
        "8x A100 40GB SXM": (("gpu_8x_a100", 8, 124, 1800),),
        "8x A100 80GB SXM": (("gpu_8x_a100_80gb_sxm4", 8, 240, 1800),),
        "8x A100 SXM 80GB": (("gpu_8x_a100_80gb_sxm4", 8, 240, 1800),),
        "1x B200": (("gpu_1x_b200_sxm6", 1, 26, 360),),
        "1x B200 SXM6": (("gpu_1x_b200_sxm6", 1, 26, 360),),
        "2x B200": (("gpu_2x_b200_sxm6", 2, 52, 720),),
        "4x B200": (("gpu_4x_b200_sxm6", 4, 104, 1440),),
        "8x B200": (("gpu_8x_b200_sxm6", 8, 208, 2900),),
        "1x H100 PCIe": (("gpu_1x_h100_pcie", 1, 26, 225),),
        "1x H100 SXM": (("gpu_1x_h100_sxm5", 1, 26, 225),),
        "2x H100 SXM": (("gpu_2x_h100_sxm5", 2, 52, 450),),
        "4x H100 SXM": (("gpu_4x_h100_sxm5", 4, 104, 900),),
        "8x H100 SXM": (("gpu_8x_h100_sxm5", 8, 208, 1800),),
        "1x GH200": (("gpu_1x_gh200", 1, 64, 432),),
        "1x GH200 96GB": (("gpu_1x_gh200", 1, 64, 432),),
        "4x A6000": (("gpu_4x_a6000", 4, 56, 400),),
    },
    "nebius": {
        **dict.fromkeys(
            ("1x H100", "1x H100, price per GPU", "1x HGX H100"),
            (
                ("gpu-h100-sxm_1gpu-16vcpu-200gb", 1, 16, 200),
                ("gpu-h100-sxm_8gpu-128vcpu-1600gb", 8, 128, 1600),
            ),
        ),
        **dict.fromkeys(
            ("1x H200", "1x H200, price per GPU", "1x HGX H200"),
            (
                ("gpu-h200-sxm_1gpu-16vcpu-200gb", 1, 16, 200),
                ("gpu-h200-sxm_8gpu-128vcpu-1600gb", 8, 128, 1600),
            ),
        ),
        **dict.fromkeys(
            ("1x B200", "1x HGX B200"),
            (("gpu-b200-sxm_8gpu-160vcpu-1792gb", 8, 160, 1792),),
        ),
        "1x HGX B300": (("gpu-b300-sxm_8gpu-192vcpu-2768gb", 8, 192, 2768),),
        **dict.fromkeys(
            ("1x L40S", "1x L40S (Intel)"), (("gpu-l40s-a_1gpu-8vcpu-32gb", 1, 8, 32),)
        ),
        "1x RTX PRO 6000": (("gpu-rtx6000_1gpu-24vcpu-218gb", 1, 24, 218),),
    },
    "crusoe": {
        "1x A100 80GB PCIe": tuple((f"a100-80gb.{n}x", n, None, None) for n in (1, 2, 4, 8)),
        "1x A100 80GB SXM": (("a100-80gb-sxm-ib.8x", 8, None, None),),
        "1x H100": (("h100-80gb-sxm-ib.8x", 8, None, None),),
        "1x H200": (("h200-141gb-sxm-ib.8x", 8, None, None),),
        "1x L40S": tuple((f"l40s-48gb.{n}x", n, None, None) for n in (1, 8)),
        "1x A40": tuple((f"a40.{n}x", n, None, None) for n in (1, 8)),
        "1x MI300X": (("mi300x-192gb-ib.8x", 8, None, None),),
    },
}
"""Names, GPUs, vCPUs and GiB of the machines that a cloud sells at a price for each GPU."""

_RUNPOD = {
    "A100 80GB PCIe": "A100-80GB",
    "A100 80GB SXM": "A100-80GB-SXM",
    "H100 PCIe": "H100",
    "H100 SXM": "H100-SXM",
    "H100 NVL 94GB": "H100-NVL",
    "H200": "H200-SXM",
}

_NOT_SOLD = ("spot and flex-start", "on-demand equivalent only")
"""In a note: the machine is not sold on demand."""

_NOT_A_MACHINE = "per GPU of a larger machine"


def read(
    rows: Iterable[Mapping[str, str]], known: Mapping[tuple[str, str], NodeShape]
) -> Iterator[tuple[Price, NodeShape] | Skipped]:
    """Yields the price and the machine of each row, or why there is none.

    Args:
        rows: With cloud, region, instance_type, purchase, usd_per_hour, as_of, source; tables of
            GPU machines also have gpu, gpus, vcpus, memory_gib, licence and note.
        known: Machine types of the book.
    """
    for row in rows:
        yield from _read(row, known)


def _read(
    row: Mapping[str, str], known: Mapping[tuple[str, str], NodeShape]
) -> Iterator[tuple[Price, NodeShape] | Skipped]:
    cloud, name = row["cloud"], row["instance_type"]
    label = f"{cloud} {name}"
    presets = _PRESETS.get(cloud)
    if row["purchase"] == "on_demand" and any(text in row["note"] for text in _NOT_SOLD):
        yield Skipped(label, "not sold on demand")
    elif _NOT_A_MACHINE in row["note"]:
        yield Skipped(label, "the price of a GPU, of which no machine is known")
    elif presets is not None:
        yield from _of_presets(row, presets)
    else:
        shape = _shape(row, known.get((cloud, name)))
        yield Skipped(label, shape) if isinstance(shape, str) else (_price(row, shape, 1), shape)


def _of_presets(
    row: Mapping[str, str],
    presets: Mapping[str, tuple[tuple[str, int, int | None, int | None], ...]],
) -> Iterator[tuple[Price, NodeShape] | Skipped]:
    """Yields the machines that a cloud sells at a price for each GPU; Lambda names whole ones."""
    label = f"{row['cloud']} {row['instance_type']}"
    gpu = _gpu(row)
    if row["instance_type"] not in presets:
        yield Skipped(label, "no machine type with it is known")
    elif gpu is None:
        yield Skipped(label, f"GPU {row['gpu']} is not in gpus.json")
    else:
        for preset, gpus, vcpus, memory in presets[row["instance_type"]]:
            shape = NodeShape(
                cloud=row["cloud"],
                instance_type=preset,
                gpu=gpu,
                gpus=gpus,
                vcpus=vcpus,
                memory_gib=memory,
            )
            yield _price(row, shape, 1 if row["cloud"] == "lambda" else gpus), shape


def _price(row: Mapping[str, str], shape: NodeShape, gpus: int) -> Price:
    usd = Decimal(row["usd_per_hour"])
    region, purchase = row["region"] or "any", _PURCHASES[row["purchase"]]
    return priced(
        row,
        f"node/{shape.cloud}/{region}/{shape.instance_type}/{purchase}",
        usd * gpus,
        "node-hour",
        f"{usd:f} USD a GPU" if gpus > 1 else "",
    )


def _gpu(row: Mapping[str, str]) -> str | None:
    name = _FRACTIONS.get((row["gpu"], row["gpus"])) or _GPUS.get(row["gpu"])
    return name if name in load_gpus() else None


def _shape(row: Mapping[str, str], known: NodeShape | None) -> NodeShape | str:
    """Returns what a machine has, or why the book cannot hold it."""
    if known is not None and known.gpu and not row["gpu"]:
        return "a table without GPUs has newer prices of CPU machines alone"
    if known is not None:
        return known
    if not row["gpu"]:
        return "what the machine has is not known"
    part = (row["gpu"], row["gpus"]) in _FRACTIONS
    if not part and not row["gpus"].isdecimal():
        reason = "unknown number of GPUs" if not row["gpus"] else "a fraction of a GPU"
        return f"{reason} ({row['gpu']})"
    gpu = _gpu(row)
    if gpu is None:
        return f"GPU {row['gpu']} is not in gpus.json"
    return NodeShape(
        cloud=row["cloud"],
        instance_type=_name(row),
        gpu=gpu,
        gpus=1 if part else int(row["gpus"]),
        vcpus=int(row["vcpus"]) if row["vcpus"] else None,
        memory_gib=float(row["memory_gib"]) if row["memory_gib"] else None,
    )


def _name(row: Mapping[str, str]) -> str:
    """Returns the cloud's name of a machine, or the words of the table as one."""
    name = row["instance_type"]
    if row["cloud"] == "runpod":
        gpu, _, kind = name.removeprefix("1x ").partition(", ")
        which = _RUNPOD.get(gpu, gpu.replace(" ", ""))
        return f"1x_{which}_{kind.partition(' ')[0].upper()}"
    if " " not in name and row["cloud"] != "coreweave":
        return name
    text = name.lower().removesuffix(", price per gpu").removesuffix(", marketplace median")
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")
