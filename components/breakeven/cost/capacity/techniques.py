"""What makes a replica cheaper than plain serving: a smaller cache, speculation, spread experts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from breakeven.catalog.gpus import Gpu
from breakeven.catalog.models import ModelFacts

FP8_CACHE_READ = 0.54 / 0.5
"""Time to read a cached number in fp8, over that of half a bf16 number.

vLLM's blog, "The state of FP8 KV-cache and attention quantization in vLLM" (2026; Llama 3.1 8B on
an H100): with fp8 a step grows with its context by 54 % of what it grows with bf16. Below about
7,000 tokens of context a single request is slower, by what converts numbers; the band has that.
"""

FP8_CACHE_ERROR_PERCENT = 10.0
"""Added to the band: the same measurements have 14.9 % more throughput under load, where the memory
alone would allow more."""


SPECULATION_ERROR_PERCENT = 20.0
"""Added to the band. SpecDecode-Bench (arXiv 2601.11580; vLLM 0.10, H100, EAGLE with three tokens)
has up to 1.96 times the speed at one request for Llama 3 70B, here 2.06, and 1.21 times at 128
requests for Llama 3.1 8B and one set of prompts, here 1.5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speculation:
    """Tokens that are proposed cheaply and checked by the model in one step.

    Attributes:
        tokens: Proposed in each step, 1 or more.
        acceptance: Share of proposed tokens that the model accepts, given that it accepted those
            before, 0 to 1.
        low_acceptance: Of the lower end of the band.
        high_acceptance: Of the upper end.
        draft_parameters: Multiplied for each proposed token; 0 if text is looked up.
        draft_layers: Of the draft, one after the other.
        draft_bytes: Its weights in memory; vLLM divides a draft over as many GPUs as the model.
        draft_cache_numbers: Numbers that it keeps for each token of a request.
        draft_is_of_the_model: Whether it is built as the model's own layers, experts included.
    """

    tokens: int
    acceptance: float
    low_acceptance: float
    high_acceptance: float
    draft_parameters: int = 0
    draft_layers: int = 0
    draft_bytes: int = 0
    draft_cache_numbers: int = 0
    draft_is_of_the_model: bool = False

    @property
    def tokens_per_step(self) -> float:
        """Tokens that a step gives a request: accepted ones, and one of the model's own.

        (1 - a^(k+1)) / (1 - a): Leviathan et al., "Fast Inference from Transformers via Speculative
        Decoding" (2023), equation 1; acceptances are taken as independent.
        """
        return expected_tokens(self.tokens, self.acceptance)


def expected_tokens(tokens: int, acceptance: float) -> float:
    """Returns the tokens of a step; see `Speculation.tokens_per_step`."""
    return sum(acceptance**place for place in range(tokens + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Techniques:
    """How an engine departs from plain serving.

    Attributes:
        cache_bytes: Bytes of a cached number; None for what vLLM takes without a flag.
        speculation: None for none.
        data_attention: Whether each GPU computes the attention of requests of its own, and experts
            are spread over all GPUs of the replica; else each layer is divided over all.
        batched_tokens: Most tokens of an engine step, 1 or more; None for vLLM's default.
    """

    cache_bytes: int | None = None
    speculation: Speculation | None = None
    data_attention: bool = False
    batched_tokens: int | None = None

    def on(self, gpu: Gpu, tensor_parallel: int) -> Techniques:
        """Returns those that a replica of other GPUs can have."""
        smaller = self.cache_bytes if gpu.fp8_tflops is not None else None
        spread = self.data_attention and tensor_parallel > 1
        return replace(self, cache_bytes=smaller, data_attention=spread)

    def holds_cache_smaller(self, model: ModelFacts) -> bool:
        """Tells whether the cache has fewer bytes than without a flag."""
        return self.cache_bytes is not None and self.cache_bytes < model.cache_element_bytes


PLAIN = Techniques()
