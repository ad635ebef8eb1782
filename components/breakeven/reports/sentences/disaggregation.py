"""Prefill and decode on separate replicas, in words."""

from __future__ import annotations

from breakeven.cost.notes import Disaggregated
from breakeven.reports.formatting import counted


def disaggregation_sentence(note: Disaggregated) -> str:
    """Says what two groups of replicas add to the first token, and how sure that is."""
    return (
        f"{counted(note.prefill, 'replica')} of {note.prefill + note.decode} only "
        f"{'processes' if note.prefill == 1 else 'process'} prompts; the others only generate "
        "tokens. Their capacity is the mean of all replicas and is unverified: no measurement was "
        f"compared with it. The first token waits {note.transfer_seconds:.2g} s for the transfer "
        f"of the KV cache and {note.handover_seconds:g} s for the handover. Breakeven does not "
        "deploy this (docs/vllm.md)."
    )
