"""What models consist of: parameters by part, layers by what they keep of a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Literal, TypeAlias

PRECISION_BYTES: Mapping[str, Fraction] = MappingProxyType(
    {
        "bf16": Fraction(2),
        "fp8": Fraction(1),
        "int8": Fraction(1),
        # 4 bits and an 8-bit scale for 16 weights.
        "nvfp4": Fraction(9, 16),
        # 4 bits and the group's scale: 4.16 for AWQ and GPTQ with groups of 128 (16-bit scale and
        # 4-bit zero point), 4.25 for MXFP4 (8-bit scale for 32 weights). The larger of them.
        "int4": Fraction(17, 32),
        "mxfp4": Fraction(17, 32),
    }
)
"""Bytes of a quantized weight by precision, with its share of the scales."""

MIXED = "mixed"
"""Precision of a checkpoint whose parts have different ones."""

FULL_PRECISION = "bf16"

CacheKind: TypeAlias = Literal[
    "full", "sliding", "chunked", "latent", "compressed", "index", "state", "none"
]
"""What layers keep of a request. full: keys and values of every token; sliding and chunked: of the
last tokens; latent: one compressed vector for each token (MLA); compressed: one for several tokens;
index: keys by which sparse attention chooses tokens; state: a state of constant size (Mamba, gated
delta, linear attention); none: nothing, as a text is read in one step (encoders such as BERT)."""

Task: TypeAlias = Literal["generate", "embed", "score"]
"""What a model does: it writes text; makes a vector of a text; or scores a pair of texts, such as a
question and a document that a reranker puts in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerGroup:
    """Layers that keep the same of a request.

    A layer may be in several groups, for example in one for its latent cache and in one for its
    index.

    Attributes:
        kind: What they keep.
        layers: How many they are.
        query_heads: Query heads of a layer; of state layers the heads of the state.
        key_value_heads: Parts into which tensor parallelism divides the cache of a layer; more GPUs
            hold copies. 1 for a latent cache, which each GPU holds whole.
        key_dim: Width of a query and of a key as they are multiplied.
        value_dim: Width of a value as it is multiplied.
        cached_numbers: Numbers that a layer keeps for each entry of the cache.
        window: Tokens that a layer looks back on; 0 for all.
        tokens_per_entry: Tokens that share an entry of the cache.
        attended: Most entries that a query is multiplied with; 0 for all that are kept.
        state_bytes: What a layer keeps for a request whatever its length, in bytes.
    """

    kind: CacheKind
    layers: int
    query_heads: int = 1
    key_value_heads: int = 1
    key_dim: int = 0
    value_dim: int = 0
    cached_numbers: int = 0
    window: int = 0
    tokens_per_entry: int = 1
    attended: int = 0
    state_bytes: int = 0

    def entries(self, tokens: float) -> float:
        """Returns the entries that a layer keeps of a request of `tokens` tokens."""
        kept = min(tokens, self.window) if self.window else tokens
        return kept / self.tokens_per_entry

    def entries_read(self, tokens: float) -> float:
        """Returns the entries that a query after `tokens` tokens is multiplied with."""
        kept = self.entries(tokens)
        return min(kept, self.attended) if self.attended else kept

    def copies(self, tensor_parallel: int) -> float:
        """Returns how often the GPUs of a replica hold the cache, 1 or more."""
        return max(1.0, tensor_parallel / self.key_value_heads) if self.cached_numbers else 1.0

    @property
    def operations_per_pair(self) -> int:
        """Operations of a layer for a query and an entry: with the key, then with the value."""
        return 2 * self.query_heads * (self.key_dim + self.value_dim)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Parameters of a model by part.

    Attributes:
        embedding: Embedding and output head.
        mixer: Attention, linear attention and state space layers.
        feed_forward: Dense feed-forward layers.
        shared_experts: Experts that every token passes.
        experts: Experts among which a router chooses.
        kept: Norms, biases, routers and convolutions, which checkpoints seldom quantize.
        tower: Vision or audio encoder with its projector.
    """

    embedding: int = 0
    mixer: int = 0
    feed_forward: int = 0
    shared_experts: int = 0
    experts: int = 0
    kept: int = 0
    tower: int = 0

    @cached_property
    def total(self) -> int:
        """All parameters."""
        return sum(int(getattr(self, each.name)) for each in fields(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How the repository stores the weights.

    Attributes:
        precision: One of `PRECISION_BYTES`, or "mixed".
        method: Name of the quantization method as vLLM has it, such as "fp8", "modelopt" or
            "compressed-tensors"; empty for a checkpoint that is not quantized.
        parts: Precision of each quantized part of `Parts`; parts left out are in bf16.
        cache: Precision for the key-value cache that the checkpoint asks for; empty for none.
        is_float32: Whether its files have 32 bits for each number, of which 16 are served.
    """

    precision: str = FULL_PRECISION
    method: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    cache: str = ""
    is_float32: bool = False
