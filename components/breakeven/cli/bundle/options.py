"""Options that several commands of `breakeven bundle` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Store = Annotated[
    Path, typer.Option("--store", help="Work folder; downloads stay there for the next run.")
]
Model = Annotated[
    Path,
    typer.Option("--model", help="Folder with the model's files, of the stack's model.revision."),
]
Definitions = Annotated[
    Path | None,
    typer.Option(
        "--crds",
        help="Folder with CustomResourceDefinitions to include. Default: none, because the "
        "cluster has them.",
    ),
]
Key = Annotated[Path, typer.Option("--key", help="Public key (.pub) of the signer that you trust.")]
Sign = Annotated[Path, typer.Option("--sign", help="Your private key, a .key file, mode 0600.")]
Base = Annotated[
    Path | None, typer.Option("--base", help="For a delta: the folder of the bundle it builds on.")
]
Log = Annotated[Path, typer.Option("--log", help="Hash-chained log to append to.")]
PartSize = Annotated[
    int, typer.Option("--part-size", min=1, help="Size of an archive part, in MiB.")
]
Folder = Annotated[Path, typer.Argument(help="Folder of the bundle.")]

STORE = Path(".bundle")
LOG = Path("bundle-log.jsonl")
PART_MIB = 2048
