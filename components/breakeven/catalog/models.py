"""Open models: the shapes that decide what they need of a GPU, and who sells them by API."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib import resources
from types import MappingProxyType

from breakeven.suggestions import UnknownNameError, near_names

PRECISION_BYTES: Mapping[str, Fraction] = MappingProxyType(
    {
        "bf16": Fraction(2),
        "fp8": Fraction(1),
        "int8": Fraction(1),
        # 4 bits and the group's scale: 4.16 for AWQ and GPTQ with groups of 128 (16-bit scale and
        # 4-bit zero point), 4.25 for MXFP4 (8-bit scale for 32 weights). The larger of them.
        "int4": Fraction(17, 32),
    }
)
"""Bytes of a quantised weight by precision, with its share of the scales."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a model's published config.json says.

    Attributes:
        name: Short name, such as "llama-3.1-8b-instruct".
        repository: Repository of the weights.
        parameters: All parameters.
        active_parameters: Those that one token is multiplied with; fewer in a mixture of experts.
        layers: Transformer layers.
        hidden_size: Width of the residual stream.
        attention_heads: Query heads.
        key_value_heads: Heads of the key-value cache.
        head_dim: Width of a head.
        max_model_length: Longest request, input and output, in tokens.
        hosted: Paid API offers of this model, as "provider/model" of genai-prices.
        source: Where the figures are from.
        full_precision_parameters: Those that 8-bit and 4-bit checkpoints keep in bf16: embeddings
            and output head, a vision tower, and in gpt-oss all but the experts.
        sliding_window: Tokens that a sliding-window layer looks back on; 0 without such layers.
        sliding_window_layers: How many of the layers have that window.
        fetches_vocabulary: Whether vLLM downloads a vocabulary for it at every start. The engine's
            pods reach nothing outside, so that it cannot be deployed.
    """

    name: str
    repository: str
    parameters: int
    active_parameters: int
    layers: int
    hidden_size: int
    attention_heads: int
    key_value_heads: int
    head_dim: int
    max_model_length: int
    hosted: tuple[str, ...]
    source: str
    full_precision_parameters: int = 0
    sliding_window: int = 0
    sliding_window_layers: int = 0
    fetches_vocabulary: bool = False

    @property
    def attention_size(self) -> int:
        """Width of all query heads; not `hidden_size` in every model."""
        return self.attention_heads * self.head_dim

    @property
    def is_mixture_of_experts(self) -> bool:
        """Whether a token passes a part of the model only."""
        return self.active_parameters < self.parameters - self.full_precision_parameters

    def key_value_bytes_per_token(self, bytes_per_element: int = 2) -> int:
        """Returns the key-value cache of one token in all layers, in bytes.

        2 (key and value) x layers x key-value heads x head size x bytes. In models with a sliding
        window it is what a token within the window takes; `key_value_bytes` counts whole requests.
        """
        return self._key_value_bytes_per_layer(bytes_per_element) * self.layers

    def key_value_bytes(self, tokens: float, bytes_per_element: int = 2) -> float:
        """Returns the key-value cache of a request of `tokens` tokens, in bytes.

        Layers with a sliding window keep the window only, as vLLM's hybrid cache manager does.
        """
        per_layer = self._key_value_bytes_per_layer(bytes_per_element)
        full = (self.layers - self.sliding_window_layers) * tokens
        return per_layer * (full + self.sliding_window_layers * min(tokens, self.sliding_window))

    def weight_bytes(self, precision: str) -> int:
        """Returns the size of the weights in memory, in bytes.

        Raises:
            ValueError: The precision is none of `PRECISION_BYTES`.
        """
        if precision not in PRECISION_BYTES:
            msg = f'precision "{precision}"; allowed: {", ".join(PRECISION_BYTES)}'
            raise ValueError(msg)
        quantised = self.parameters - self.full_precision_parameters
        kept = self.full_precision_parameters * PRECISION_BYTES["bf16"]
        return math.ceil(quantised * PRECISION_BYTES[precision] + kept)

    def adapter_bytes(self, rank: int) -> int:
        """Returns the size of a LoRA adapter of all linear layers, in bf16, in bytes.

        Two matrices for each linear layer: rank x (its input + its output). The width of the
        feed-forward layers follows from the parameters; not for mixtures of experts.
        """
        hidden, queries = self.hidden_size, self.attention_size
        keys = self.key_value_heads * self.head_dim
        attention = 2 * hidden * (queries + keys)
        in_layers = self.parameters - self.full_precision_parameters
        width = max(0.0, in_layers / self.layers - attention) / (3 * hidden)
        ends = 2 * (hidden + queries) + 2 * (hidden + keys) + 3 * (hidden + width)
        return math.ceil(rank * ends * self.layers * PRECISION_BYTES["bf16"])

    def splits_over(self, tensor_parallel: int) -> bool:
        """Tells whether vLLM can divide the heads over that many GPUs.

        Each GPU holds as many query heads as the others, and whole key-value heads or copies of
        one.
        """
        heads = self.key_value_heads
        return self.attention_heads % tensor_parallel == 0 and (
            heads % tensor_parallel == 0 or tensor_parallel % heads == 0
        )

    def _key_value_bytes_per_layer(self, bytes_per_element: int) -> int:
        return 2 * self.key_value_heads * self.head_dim * bytes_per_element


class UnknownModelError(UnknownNameError):
    """No facts are known about such a model."""

    what = "facts about model"


@cache
def load_models() -> Mapping[str, ModelFacts]:
    """Returns all known models by name."""
    text = (resources.files(__package__) / "data" / "models.json").read_text(encoding="utf-8")
    models = [
        ModelFacts(**{**entry, "hosted": tuple(entry["hosted"])})
        for entry in json.loads(text)["models"]
    ]
    return MappingProxyType({model.name: model for model in models})


def find_model(name: str) -> ModelFacts:
    """Returns a model by name or by repository; upper case is no matter.

    Raises:
        UnknownModelError: There is none of that name.
    """
    models = load_models()
    wanted = name.lower()
    for model in models.values():
        if wanted in {model.name, model.repository.lower()}:
            return model
    raise UnknownModelError(name, near_names(name.rpartition("/")[2], models))
