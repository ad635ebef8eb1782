"""What makes a replica cheaper than plain serving: settings, and what each of them needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from breakeven.catalog.model_facts import ModelFacts
from breakeven.settings.fields import (
    Conflict,
    Form,
    Group,
    Integer,
    OptionalNumber,
)
from breakeven.settings.own_models import known_facts

SpeculationMethod: TypeAlias = Literal["off", "ngram", "mtp", "draft", "eagle", "eagle3"]
"""How tokens are proposed: looked up in the prompt; by the model's own further heads; by a small
model; by a head that was trained for the model."""

_DRAFT = r"(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)@(?P<revision>[0-9a-f]{40})"
_VLLM_METHODS = {"draft": "draft_model"}


class DraftWeights(BaseModel):
    """Where the weights of a draft are."""

    model_config = ConfigDict(frozen=True)

    repository: str
    revision: str


def _draft(text: str) -> DraftWeights:
    found = re.fullmatch(_DRAFT, text, re.ASCII)
    if found is None:
        raise ValueError(text)
    return DraftWeights(repository=found["repository"], revision=found["revision"])


class SpeculationSettings(Group):
    """Speculative decoding: several tokens are proposed, and checked in one step of the model.

    `model` is None without a draft of its own; `acceptance_percent` is None for the usual one.
    """

    method: SpeculationMethod = Field(
        default="off",
        description="How tokens are proposed: off, ngram (from the prompt; no memory), mtp (the "
        "model's built-in heads), draft (a small model with the same tokenizer), eagle or eagle3 "
        "(a head trained for the model)",
    )
    tokens: Integer = Field(
        default=3, ge=1, le=16, description="Tokens proposed in each step, 1 to 16"
    )
    model: Annotated[
        DraftWeights | None,
        Form(
            _draft,
            allowed="OWNER/REPOSITORY@COMMIT, the commit in 40 hexadecimal digits",
            pattern=r"[\w.-]+/[\w.-]+@[0-9a-f]{40}",
            empty=None,
        ),
    ] = Field(
        default=None,
        description="Weights of the draft as OWNER/REPOSITORY@COMMIT, for the methods draft, eagle "
        "and eagle3",
    )
    draft_parameters: OptionalNumber = Field(
        default=None,
        gt=0,
        le=Decimal(10**12),
        description="Parameters of an eagle or eagle3 head, such as 4.0e8, from its model card",
    )
    acceptance_percent: OptionalNumber = Field(
        default=None,
        ge=1,
        le=99,
        description="Share of proposed tokens that the model accepts, each given the one before; "
        "empty for the method's typical value (docs/money.md). It depends on your texts: measure "
        "it (vllm:spec_decode_num_accepted_tokens)",
    )

    @property
    def is_on(self) -> bool:
        """Whether tokens are proposed."""
        return self.method != "off"

    @property
    def has_draft(self) -> bool:
        """Whether a draft's weights are fetched."""
        return self.method in {"draft", "eagle", "eagle3"}

    @property
    def draft_facts(self) -> ModelFacts | None:
        """What is known of a small model that proposes; None for another method, or if unknown."""
        if self.method != "draft" or self.model is None:
            return None
        return known_facts(self.model.repository)

    @property
    def draft_bytes(self) -> int:
        """Size of the weights that are fetched for the draft, in bytes."""
        if self.draft_facts is not None:
            return self.draft_facts.weight_bytes(self.draft_facts.checkpoint.precision)
        # A head is stored in 16 bits.
        return 2 * int(self.draft_parameters or 0) if self.has_draft else 0

    def config(self, draft_path: str) -> str:
        """Returns the value of --speculative-config.

        Args:
            draft_path: Folder of the draft's weights in the container.
        """
        content: dict[str, object] = {
            "method": _VLLM_METHODS.get(self.method, self.method),
            "num_speculative_tokens": self.tokens,
        }
        if self.method == "ngram":
            # Without a bound a single common token would be taken for a match.
            content |= {"prompt_lookup_min": 2, "prompt_lookup_max": 4}
        if self.has_draft:
            content["model"] = draft_path
        return json.dumps(content, sort_keys=True)

    def conflicts(self) -> Iterator[Conflict]:
        """Yields what the method lacks, or has no use for."""
        key = "engine.speculation."
        if self.has_draft and self.model is None:
            yield Conflict(
                f"{key}model",
                f"empty with method {self.method}",
                "Needed: OWNER/REPOSITORY@COMMIT of the draft",
                (f"{key}method",),
            )
        if not self.has_draft and self.model is not None:
            yield Conflict(
                f"{key}model",
                f"stated with method {self.method}, which does not need a draft",
                "Allowed with method draft, eagle, or eagle3; otherwise leave it out",
                (f"{key}method",),
            )
        is_head = self.method in {"eagle", "eagle3"}
        if is_head and self.draft_parameters is None:
            yield Conflict(
                f"{key}draftParameters",
                f"empty with method {self.method}: memory and time of the head are unknown",
                "Needed: its parameters, as its model card says, such as 4.0e8",
                (f"{key}method",),
            )
        elif not is_head and self.draft_parameters is not None:
            yield Conflict(
                f"{key}draftParameters",
                f"stated with method {self.method}",
                "Allowed with method eagle or eagle3; for a draft model they are known",
                (f"{key}method",),
            )
