"""`breakeven evidence`: compliance evidence of a stack."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from breakeven.bundle.archive.archive import drain
from breakeven.bundle.archive.manifest import Entry
from breakeven.bundle.archive.opening import Bundle, open_base, open_bundle, read_bundle
from breakeven.bundle.archive.signing import read_private_key, read_public_key
from breakeven.bundle.files import canonical_json, sha256_of_bytes, write_bytes
from breakeven.bundle.lock import Lock, lock_of
from breakeven.bundle.log import head, read_log
from breakeven.bundle.pack import LOCK
from breakeven.cli.bundle import options
from breakeven.cli.completion import StackArgument
from breakeven.cli.documents.records import EvidenceDocument
from breakeven.cli.files import write_whole
from breakeven.cli.policy_verdict import judge_stack, verdict_output
from breakeven.cli.progress.byte_progress import byte_progress
from breakeven.errors import UserError
from breakeven.evidence.access import access_listing
from breakeven.evidence.callers import callers
from breakeven.evidence.deployed import changes, read_state
from breakeven.evidence.page import page
from breakeven.evidence.provenance import provenance
from breakeven.evidence.record import Parts
from breakeven.evidence.record import evidence as put_together
from breakeven.evidence.supply import bundle_facts, differences, image_list, log_facts
from breakeven.planning.offline import ledger_of, priced_manifests, read_stack
from breakeven.policy.bundle_contents import carried_in
from breakeven.policy.manifest import Resource
from breakeven.settings.files import stack_path


class Format(StrEnum):
    """How the evidence is written."""

    JSON = "json"
    HTML = "html"


def evidence(  # noqa: PLR0913, PLR0917  # the options of the command
    stack: StackArgument,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", help="Folder of the stack's bundle, verified first."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", help="Public key of the signer that you trust.")
    ] = None,
    base: options.Base = None,
    log_file: Annotated[
        Path | None, typer.Option("--log", help="Log of the bundle; its chain is checked first.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            help="Deployed state, written by `pulumi stack export`. Default: evidence only about "
            "what the stack file would deploy.",
        ),
    ] = None,
    day: Annotated[
        datetime | None,
        typer.Option(
            "--day",
            formats=["%Y-%m-%d"],
            help="Date for which waivers are checked. Default: today.",
        ),
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="json, or html for one printable page.")
    ] = Format.JSON,
    output: Annotated[Path | None, typer.Option("--output", help="File to write.")] = None,
    sign_with: Annotated[
        Path | None,
        typer.Option(
            "--sign-with",
            help="Private key of `breakeven bundle keygen`. It signs the written file as "
            "FILE.sig, which openssl verifies.",
        ),
    ] = None,
) -> None:
    """Record what a stack deploys: resources, callers, bundle, and policy rules.

    Also lists what cannot be assessed and, with --state, how the deployed stack differs.

    The same commit, stack, state, bundle, log, and date give the same bytes.

    Example: breakeven evidence on-prem --bundle on-prem-bundle --key release.pub --format html
    --output evidence.html
    """
    key_to_sign = _signing_key(sign_with, output)
    read = read_stack(stack)
    resources = ledger_of(read)
    there = None if state is None else read_state(state)
    opened, lock = _verified(bundle, key, base) if bundle is not None else (None, None)
    entries = read_log(log_file) if log_file is not None else ()
    judged_on = (day or datetime.now(tz=UTC)).date()
    carried = None if lock is None else carried_in(lock.as_bytes())
    served = [each.model for each in read.models]
    verdict, scope = judge_stack(stack, judged_on, carried=carried)
    found = put_together(
        Parts(
            stack=stack,
            provenance=provenance(stack_path(stack)),
            deployed=None
            if there is None
            else {**there[1], "changes": changes(_planned(stack, judged_on), there[0])},
            callers=callers(scope.resources, read),
            day=judged_on,
            bundle=bundle_facts(opened, lock) if opened and lock else None,
            differences=differences(lock, stack, served, resources) if lock else (),
            images=image_list(resources),
            access=access_listing(resources),
            policies=verdict_output(verdict, scope),
            log=None if log_file is None else log_facts(head(entries), entries),
        )
    )
    content = canonical_json(found)
    EvidenceDocument.model_validate_json(content)  # as the published schema says
    text = content.decode()
    if output_format is Format.HTML:
        # The last line ends as in the written file, so that the signature is that of its bytes.
        text = f"{page(found, sha256_of_bytes(content))}\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    write_whole(output, text)
    typer.echo(f"Written: {output}", err=True)
    if key_to_sign is not None:
        signature = output.with_name(f"{output.name}.sig")
        write_bytes(signature, key_to_sign.sign(text.encode()))
        typer.echo(f"Written: {signature}", err=True)


def _planned(stack: str, day: date) -> list[Resource]:
    """Returns everything that an update would deploy, with the day's estimate."""
    return [Resource(each.manifest, f"stack {stack}") for each in priced_manifests(stack, day)]


def _signing_key(path: Path | None, output: Path | None) -> Ed25519PrivateKey | None:
    if path is None:
        return None
    if output is None:
        msg = "--sign-with needs a file to sign. Add: --output FILE"
        raise UserError(msg)
    return read_private_key(path)


def _verified(folder: Path, key: Path | None, base: Path | None) -> tuple[Bundle, Lock]:
    """Reads every byte of a bundle, so that the evidence covers all of it."""
    if key is None:
        msg = "--bundle needs the public key that verifies its signature. Add: --key FILE.pub"
        raise UserError(msg)
    trusted = read_public_key(key)
    opened = open_bundle(folder, trusted)
    below = open_base(opened, base, trusted)
    collected: list[bytes] = []

    def sink(entry: Entry, pieces: Iterator[bytes]) -> None:
        if entry.path == LOCK:
            collected.extend(pieces)
        else:
            drain(entry, pieces)

    total = opened.manifest.archive_size + (below.manifest.archive_size if below else 0)
    with byte_progress(total) as count:
        read_bundle(opened, below, sink, count)
    return opened, lock_of(opened.manifest, b"".join(collected), f"{folder}: {LOCK}")
