"""`breakeven bundle`: carries everything that a stack needs into a closed network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from breakeven.bundle.archive.opening import open_bundle
from breakeven.bundle.archive.signing import make_keys, read_private_key
from breakeven.bundle.delta import make_delta
from breakeven.bundle.files import write_bytes
from breakeven.bundle.lock import Lock, read_lock
from breakeven.bundle.log import append
from breakeven.bundle.pack import Order, contents_of, pull_images
from breakeven.bundle.pack import pack as pack_bundle
from breakeven.bundle.plan import Sources, gather, make_lock, require_size
from breakeven.bundle.registry.model_image import HOST
from breakeven.bundle.releases import numbered, release_details
from breakeven.cli.bundle import inside, options
from breakeven.cli.bundle.log import log
from breakeven.cli.completion import StackArgument
from breakeven.cli.progress.byte_progress import byte_progress
from breakeven.errors import SeveralModelsError
from breakeven.planning.checks import require_deployable
from breakeven.planning.offline import ledger_of, read_stack
from breakeven.settings.files import ROOT
from breakeven.settings.stack import Stack

bundle = typer.Typer(
    name="bundle",
    help="Pack a stack into a signed bundle for closed networks.\n\n"
    "Example: breakeven bundle verify on-prem-bundle --key release.pub",
    no_args_is_help=True,
)
bundle.add_typer(log)
bundle.command("verify")(inside.verify)
bundle.command("unpack")(inside.unpack)
bundle.command("load")(inside.load)
bundle.command("fill")(inside.fill_volume)

_GIGABYTE = 1_000_000_000
_MEBIBYTE = 1024 * 1024
# Images keep their public names instead of those of the internal registry.
_OUTSIDE = {"network.registry": "", "network.boundary": "connected"}


@bundle.command()
def keygen(
    name: Annotated[
        str, typer.Argument(help="Name of the files: NAME.key signs, NAME.pub verifies.")
    ],
    log_file: options.Log = options.LOG,
) -> None:
    """Create a pair of ed25519 keys. The private key is never printed and never overwritten.

    Example: breakeven bundle keygen release
    """
    private, public = Path(f"{name}.key"), Path(f"{name}.pub")
    identifier = make_keys(private, public)
    append(log_file, "keygen", str(public), identifier, {})
    typer.echo(
        f"{private}: private key (mode 0600); only those who pack bundles should be able to read it"
    )
    typer.echo(
        f"{public}: public key {identifier}; send it through another channel than the bundles"
    )


@bundle.command()
def plan(  # noqa: PLR0913, PLR0917  # the options of the command
    stack: StackArgument,
    model: options.Model,
    definitions: options.Definitions = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Lock file to write. Default: STACK.lock.json.")
    ] = None,
    release: Annotated[
        int | None,
        typer.Option(
            "--release",
            min=1,
            help="Release number, higher than any before. Default: the next one after the lock at "
            "--output.",
        ),
    ] = None,
    accept_size: Annotated[  # noqa: FBT002  # a flag of the command
        bool,
        typer.Option(
            "--accept-size",
            help="Accept weights whose size differs from the model's facts, after you have "
            "checked them.",
        ),
    ] = False,
    store: options.Store = options.STORE,
    log_file: options.Log = options.LOG,
) -> None:
    """Write the lock of a stack: every image, file, and checksum that it needs, with sizes.

    The contents follow from what the stack registers. Anything unknown or not pinned is an error. A
    plan that differs from the lock at --output is the next release.

    Example: breakeven bundle plan on-prem --model ./REVISION
    """
    read = _read(stack)
    sources = Sources(ROOT, store, model, definitions)
    path = output or Path(f"{stack}.lock.json")
    planned, _ = make_lock(stack, read.models[0].model, ledger_of(read), sources, _say)
    if not accept_size:
        facts = read.models[0].model.facts
        # As in the repository: a bf16 checkpoint is quantized to fp8 while it is loaded.
        require_size(planned, facts.weight_bytes(facts.checkpoint.precision))
    lock = numbered(planned, path, release)
    write_bytes(path, lock.as_bytes())
    append(log_file, "plan", stack, lock.digest, {"lock": str(path)})
    typer.echo(summary(lock))
    typer.echo(f"{path}: lock {lock.digest}, release {lock.release}")


@bundle.command()
def pack(  # noqa: PLR0913, PLR0917  # as above
    lock_file: Annotated[Path, typer.Argument(help="A lock from breakeven bundle plan.")],
    model: options.Model,
    sign: options.Sign,
    output: Annotated[Path, typer.Option("--output", help="Folder of the bundle.")],
    definitions: options.Definitions = None,
    part_size: options.PartSize = options.PART_MIB,
    store: options.Store = options.STORE,
    log_file: options.Log = options.LOG,
) -> None:
    """Fetch what a lock names and pack it. The same lock and key give the same bytes.

    A stopped run continues where it was when you run it again.

    Example: breakeven bundle pack on-prem.lock.json --model ./REVISION --sign release.key
    --output on-prem-bundle
    """
    lock = read_lock(lock_file)
    key = read_private_key(sign)
    sources = Sources(ROOT, store, model, definitions)
    resources = ledger_of(_read(lock.stack))
    _, origins = gather(lock.stack, resources, sources, _say)
    pull_images(lock, sources.layout, _say)
    contents = contents_of(lock, origins, sources.layout, model)
    order = Order(output, key, part_size * _MEBIBYTE)
    with byte_progress(2 * sum(entry.size for entry in contents.entries)) as count:
        packed = pack_bundle(lock, contents, order, count)
    manifest = packed.manifest
    append(log_file, "pack", str(output), manifest.digest, release_details(manifest))
    typer.echo(f"{output}: {_size(manifest.archive_size)} in {len(manifest.parts())} parts")
    typer.echo(f"bundle {manifest.digest}, release {manifest.release}, key {manifest.signer}")


@bundle.command()
def diff(  # noqa: PLR0913, PLR0917  # as above
    old: Annotated[Path, typer.Argument(help="Folder of the earlier bundle.")],
    new: Annotated[Path, typer.Argument(help="Folder of the new bundle.")],
    sign: options.Sign,
    output: Annotated[Path, typer.Option("--output", help="Folder of the delta.")],
    part_size: options.PartSize = options.PART_MIB,
    log_file: options.Log = options.LOG,
) -> None:
    """Create a bundle with what NEW has and OLD lacks. It can only be used together with OLD.

    Example: breakeven bundle diff bundle-1 bundle-2 --sign release.key --output delta-1-2
    """
    key = read_private_key(sign)
    before, after = (open_bundle(folder, key.public_key()) for folder in (old, new))
    order = Order(output, key, part_size * _MEBIBYTE)
    with byte_progress(2 * after.manifest.archive_size) as count:
        delta = make_delta(before, after, order, count)
    manifest = delta.manifest
    append(log_file, "diff", str(output), manifest.digest, release_details(manifest))
    typer.echo(f"{output}: {_size(manifest.archive_size)} of {_size(after.manifest.archive_size)}")
    typer.echo(f"bundle {manifest.digest}, a delta on {manifest.base}")


def summary(lock: Lock) -> str:
    """Returns how much of what a lock names."""
    images = sum(blob.size for blob in lock.blobs().values())
    weights = sum(file.size for file in lock.model.files)
    model = next(image.reference for image in lock.images if image.reference.host == HOST)
    rest = sum(file.size for file in lock.files)
    return "\n".join(
        [
            f"images  {len(lock.images) - 1:4}  {_size(images - weights):>12}",
            f"model   {len(lock.model.files):4}  {_size(weights):>12}  {lock.model.repository}",
            f"  as weights.image: {model}",
            f"files   {len(lock.files):4}  {_size(rest):>12}  wheels, programs, this program",
        ]
    )


def _size(count: int) -> str:
    return f"{count / _GIGABYTE:,.2f} GB" if count >= _GIGABYTE else f"{count / 1e6:,.2f} MB"


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _read(stack: str) -> Stack:
    read = read_stack(stack, _OUTSIDE)
    require_deployable(stack, read)
    if len(read.models) > 1:
        raise SeveralModelsError(
            stack, "a bundle", "Create a stack file and a bundle for each model"
        )
    return read
