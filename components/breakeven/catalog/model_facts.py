"""The facts of a model that decide memory and speed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import lru_cache

from breakeven.catalog.gpus import Gpu
from breakeven.catalog.model_parts import (
    FULL_PRECISION,
    PRECISION_BYTES,
    Checkpoint,
    LayerGroup,
    Parts,
    Task,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a model's published config.json says.

    Attributes:
        name: Short name, such as "llama-3.1-8b-instruct".
        repository: Repository of the weights.
        architecture: Class that its config.json names.
        parts: Parameters by part, without a draft head.
        active_parameters: Those that one token passes: all but the experts that it does not; an
            encoder of images or audio is counted.
        layers: Layers, each with its share of communication between GPUs.
        hidden_size: Width of the residual stream.
        max_model_length: Longest request, input and output, in tokens.
        groups: Layers by what they keep of a request.
        source: Where the figures are from.
        hosted: Paid API offers of this model, as "provider/model" of genai-prices.
        checkpoint: How the repository stores the weights.
        draft_parameters: Of the head that predicts further tokens, which is loaded only for
            speculative decoding; 0 without one.
        revision: Commit of the repository that was read; empty if the source states none.
        quantizes_experts_only: Whether 8-bit and 4-bit versions keep all but the experts in bf16.
        is_estimated: Whether the architecture is unknown, so that the count is less certain.
        fetches_vocabulary: Whether vLLM downloads a vocabulary for it at every start, unless it is
            given one.
        vocabulary: Rows of its embedding: tokens of the tokenizer, and padding; 0 if not known.
        task: What it does with a text.
        overrides: Fields of its config.json that vLLM reads otherwise, so that it does that.
        pooling: Of whose tokens the vector of a text is made, as vLLM names it: CLS for the first,
            LAST, or MEAN for all of them; empty if not known.
        template: File in charts/serving/scoring that makes a prompt of a pair, as the model was
            trained to read it; empty if a pair is joined by its tokenizer.
    """

    name: str
    repository: str
    architecture: str
    parts: Parts
    active_parameters: int
    layers: int
    hidden_size: int
    max_model_length: int
    groups: tuple[LayerGroup, ...]
    source: str
    hosted: tuple[str, ...] = ()
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    draft_parameters: int = 0
    revision: str = ""
    quantizes_experts_only: bool = False
    is_estimated: bool = False
    fetches_vocabulary: bool = False
    vocabulary: int = 0
    task: Task = "generate"
    overrides: Mapping[str, object] = field(default_factory=dict)
    pooling: str = ""
    template: str = ""

    @property
    def generates(self) -> bool:
        """Whether it writes text; others only read, and answer with vectors or scores."""
        return self.task == "generate"

    @property
    def is_encoder(self) -> bool:
        """Whether each token sees the whole text, so that nothing is kept of a request."""
        return any(group.kind == "none" for group in self.groups)

    @property
    def parameters(self) -> int:
        """All parameters, without a draft head."""
        return self.parts.total

    @property
    def multiplied_parameters(self) -> int:
        """Those that a token of text is multiplied with: the active ones without the encoder."""
        return self.active_parameters - self.parts.tower

    @property
    def full_precision_parameters(self) -> int:
        """Those that 8-bit and 4-bit versions of a bf16 checkpoint keep in bf16.

        Embedding and output head, an encoder, and in gpt-oss all but the experts.
        """
        if self.quantizes_experts_only:
            return self.parameters - self.parts.experts
        return self.parts.embedding + self.parts.tower

    @property
    def is_mixture_of_experts(self) -> bool:
        """Whether a token passes a part of the model only."""
        return self.parts.experts > 0

    @property
    def precisions(self) -> tuple[str, ...]:
        """Precisions in which it can be served, the one that changes least first.

        A quantized checkpoint has its own. Of another, vLLM quantizes to fp8 while loading, and
        int8 and int4 versions are published by others.
        """
        if self.checkpoint.method:
            return (self.checkpoint.precision,)
        return (FULL_PRECISION, "fp8", "int8", "int4")

    def stored_precisions(self, precision: str) -> tuple[str, ...]:
        """Returns the precisions of weights under 16 bits that a precision stands for, sorted."""
        if precision == self.checkpoint.precision and self.checkpoint.method:
            return tuple(sorted(set(self.checkpoint.parts.values())))
        return () if precision == FULL_PRECISION else (precision,)

    @property
    def has_sparse_attention(self) -> bool:
        """Whether latent attention chooses tokens by an index (DeepSeek V3.2, GLM-5)."""
        kinds = {group.kind for group in self.groups}
        return {"latent", "index"} <= kinds

    def runs_on(self, gpu: Gpu, precision: str) -> bool:
        """Tells whether vLLM has the kernels on a GPU that the model needs in a precision."""
        return (gpu.has_sparse_attention or not self.has_sparse_attention) and all(
            map(gpu.supports, self.stored_precisions(precision))
        )

    @property
    def attention(self) -> LayerGroup | None:
        """The group with the most heads that are divided by tensor parallelism; None without."""
        divided = [group for group in self.groups if group.kind != "index" and group.key_dim]
        return max(divided, key=lambda group: group.query_heads, default=None)

    @property
    def attention_heads(self) -> int:
        """Query heads of a layer; the most where layers differ, 0 without attention."""
        return self.attention.query_heads if self.attention else 0

    @property
    def key_value_heads(self) -> int:
        """Parts into which the cache of such a layer can be divided."""
        return self.attention.key_value_heads if self.attention else 1

    @property
    def state_bytes(self) -> int:
        """What a request keeps whatever its length, in bytes."""
        return sum(group.layers * group.state_bytes for group in self.groups)

    @property
    def cache_element_bytes(self) -> int:
        """Bytes of a cached number where vLLM is given no flag for it.

        It takes fp8 from checkpoints of ModelOpt that ask for it (`resolve_kv_cache_dtype_string`
        in vllm/utils/torch_utils.py), and else the type of the activations, bf16.
        """
        return 1 if self.checkpoint.cache == "fp8" else 2

    def cache_bytes_per_token(self, bytes_per_element: int = 2) -> float:
        """Returns what a long request keeps for each further token, in bytes.

        The window of sliding layers is full by then, so that they keep nothing more.
        """
        return sum(
            group.layers * group.cached_numbers * bytes_per_element / group.tokens_per_entry
            for group in self.groups
            if not group.window
        )

    def request_bytes(
        self, tokens: float, *, tensor_parallel: int = 1, bytes_per_element: int | None = None
    ) -> float:
        """Returns what a request of `tokens` tokens keeps on all GPUs of a replica, in bytes.

        Layers with a window keep the window only, as vLLM's hybrid cache manager does. GPUs beyond
        the parts of a cache hold copies of it.

        Args:
            tokens: Input and output so far.
            tensor_parallel: GPUs that hold each layer together, 1 or more.
            bytes_per_element: Of a cached number; None for what vLLM takes without a flag.
        """
        cached = sum(
            group.layers
            * group.cached_numbers
            * group.entries(tokens)
            * group.copies(tensor_parallel)
            for group in self.groups
        )
        return cached * (bytes_per_element or self.cache_element_bytes) + self.state_bytes

    def bytes_read(
        self, tokens: float, *, tensor_parallel: int = 1, bytes_per_element: int | None = None
    ) -> float:
        """Returns what one more token of a request reads of its cache and state, in bytes.

        As `request_bytes`, but sparse attention reads a part of the cache, and a state is written
        as well.
        """
        cached = sum(
            group.layers
            * group.cached_numbers
            * group.entries_read(tokens)
            * group.copies(tensor_parallel)
            for group in self.groups
        )
        return cached * (bytes_per_element or self.cache_element_bytes) + 2 * self.state_bytes

    def attention_operations(self, new_tokens: float, seen: float) -> float:
        """Returns the operations of new tokens with the tokens before them.

        Args:
            new_tokens: Tokens of the prompt that are not in the prefix cache.
            seen: How many tokens each of them has before it, on average.
        """
        return new_tokens * sum(
            group.layers * group.operations_per_pair * group.entries_read(seen)
            for group in self.groups
        )

    def weight_bytes(self, precision: str) -> int:
        """Returns the size of the weights in memory, in bytes.

        Args:
            precision: That of the checkpoint: as its parts are stored; or one of
                `PRECISION_BYTES`: embeddings, output head and encoder stay in bf16.

        Raises:
            ValueError: The precision is none of these.
        """
        if precision == self.checkpoint.precision and self.checkpoint.method:
            stored = self.checkpoint.parts
            taken = Fraction(0)
            for part in fields(self.parts):
                each = PRECISION_BYTES[stored.get(part.name, FULL_PRECISION)]
                taken += getattr(self.parts, part.name) * each
            return math.ceil(taken)
        if precision not in PRECISION_BYTES:
            msg = f'precision "{precision}"; allowed: {", ".join(PRECISION_BYTES)}'
            raise ValueError(msg)
        kept = self.full_precision_parameters
        return _bytes_of(self.parameters - kept, precision) + _bytes_of(kept, FULL_PRECISION)

    def weight_bytes_beside_experts(self, precision: str) -> int:
        """Returns the size of what is not an expert among which a router chooses, in bytes.

        Args:
            precision: As in `weight_bytes`.
        """
        stored = precision
        if precision == self.checkpoint.precision and self.checkpoint.method:
            stored = self.checkpoint.parts.get("experts", FULL_PRECISION)
        experts = math.floor(self.parts.experts * PRECISION_BYTES[stored])
        return self.weight_bytes(precision) - experts

    def adapter_bytes(self, rank: int) -> int:
        """Returns the size of a LoRA adapter of all linear layers, in bf16, in bytes.

        Two matrices for each linear layer: rank x (its input + its output). The width of the
        feed-forward layers follows from the parameters; not for mixtures of experts.
        """
        hidden = self.hidden_size
        ends = 0.0
        for group in self.groups:
            queries = group.query_heads * group.key_dim
            ends += group.layers * (2 * (hidden + queries) + 2 * hidden + group.cached_numbers)
        width = self.parts.feed_forward / self.layers / (3 * hidden)
        ends += self.layers * 3 * (hidden + width)
        return math.ceil(rank * ends * PRECISION_BYTES[FULL_PRECISION])

    def splits_over(self, tensor_parallel: int) -> bool:
        """Tells whether vLLM can divide the heads over that many GPUs.

        Each GPU holds as many query heads as the others, and whole key-value heads or copies of
        one.
        """
        return all(
            group.query_heads % tensor_parallel == 0
            and (
                group.key_value_heads % tensor_parallel == 0
                or tensor_parallel % group.key_value_heads == 0
            )
            for group in self.groups
            if group.kind != "index"  # held whole by each GPU
        )


@lru_cache(maxsize=4096)
def _bytes_of(parameters: int, precision: str) -> int:
    """Returns what parameters take, in bytes; a search asks for the same thousands of times."""
    return math.ceil(parameters * PRECISION_BYTES[precision])
