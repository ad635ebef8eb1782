"""Facts about a model from its config.json, for models that `data/models.json` does not have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from breakeven.catalog.architectures import ARCHITECTURES, Architecture
from breakeven.catalog.config_fields import ConfigFields
from breakeven.catalog.models import ModelFacts

_GEMMA_3_VOCABULARY = 262_208  # its config.json leaves out what is the default
_GEMMA_3_LENGTH = 131_072
_WITH_VISION = "Gemma3ForConditionalGeneration"


def facts_from_config(path: Path, *, name: str) -> ModelFacts:
    """Counts a model's parameters from the dimensions that its config.json states.

    Weights are counted as their makers' modelling code lays them out: embedding, output head
    unless tied, attention, gated feed-forward or router and experts, norms, biases, and the vision
    tower of Gemma 3. Those of `data/models.json` come out to the last parameter.

    Args:
        path: The file, as in the model's repository.
        name: Repository, such as "Qwen/Qwen3-8B", or a short name. The short name is its last
            part in lower case.

    Raises:
        ModelConfigError: The file can't be read, its architecture is none of `ARCHITECTURES`, or a
            field is missing or odd.
    """
    whole = ConfigFields.read(path)
    architecture_name = _architecture_name(whole)
    architecture = ARCHITECTURES[architecture_name]
    has_vision = architecture_name == _WITH_VISION
    fields = whole.part("text_config") if has_vision else whole
    counted = _Counter(fields, architecture)
    vision = _vision_parameters(whole, counted.hidden_size) if has_vision else 0
    window_layers = counted.window_layers()
    return ModelFacts(
        name=name.rpartition("/")[2].lower(),
        repository=name,
        parameters=counted.parameters() + vision,
        active_parameters=counted.active_parameters(),
        full_precision_parameters=counted.full_precision_parameters() + vision,
        layers=counted.layers,
        hidden_size=counted.hidden_size,
        attention_heads=counted.heads,
        key_value_heads=counted.key_value_heads,
        head_dim=counted.head_dim,
        max_model_length=fields.whole(
            "max_position_embeddings", _GEMMA_3_LENGTH if _is_gemma_3(architecture) else None
        ),
        sliding_window=counted.window if window_layers else 0,
        sliding_window_layers=window_layers,
        hosted=(),
        fetches_vocabulary=architecture.fetches_vocabulary,
        source=_source(counted, vision, window_layers),
    )


def _architecture_name(fields: ConfigFields) -> str:
    names = fields.items("architectures") or [None]
    first = names[0]
    if not isinstance(first, str) or first not in ARCHITECTURES:
        fields.refuse("architectures", f"one of {', '.join(ARCHITECTURES)}")
    return first


def _source(counted: _Counter, vision: int, window_layers: int) -> str:
    included = ", vision tower included" if vision else ""
    parts = [f"config.json of the repository; parameters summed over its shapes{included}"]
    if counted.experts:
        without = "" if counted.architecture.counts_embedding_as_active else ", without embedding"
        of_all = f"{counted.experts.chosen} of {counted.experts.count}"
        parts.append(f"{of_all} experts a token{without}")
    if window_layers:
        parts.append(f"{window_layers} of {counted.layers} layers have a sliding window")
    return "; ".join(parts)


def _is_gemma_3(architecture: Architecture) -> bool:
    return architecture.windows == "pattern"


@dataclass(frozen=True, slots=True)
class _Experts:
    """A layer's mixture of experts, all in parameters but the counts."""

    count: int
    chosen: int
    each: int
    router: int


class _Counter:
    """Counts the parameters of the language model."""

    def __init__(self, fields: ConfigFields, architecture: Architecture) -> None:
        self.fields = fields
        self.architecture = architecture
        gemma_3 = _is_gemma_3(architecture)
        self.layers = fields.whole("num_hidden_layers")
        self.hidden_size = fields.whole("hidden_size")
        self.heads = fields.whole("num_attention_heads", 8 if gemma_3 else None)
        self.key_value_heads = fields.whole("num_key_value_heads", 4 if gemma_3 else self.heads)
        if self.heads % self.key_value_heads:
            fields.refuse("num_key_value_heads", f"a divisor of num_attention_heads, {self.heads}")
        self.head_dim = self._head_dim()
        vocabulary = fields.whole("vocab_size", _GEMMA_3_VOCABULARY if gemma_3 else None)
        self.embedding = vocabulary * self.hidden_size
        self.tied = fields.flag("tie_word_embeddings", default=architecture.tied)
        self.mixture_layers, self.experts = self._experts()
        self.window = self._window()

    def parameters(self) -> int:
        return self._outside_experts() + self._in_experts(of_one_token=False)

    def active_parameters(self) -> int:
        passed = self._outside_experts() + self._in_experts(of_one_token=True)
        return passed if self.architecture.counts_embedding_as_active else passed - self.embedding

    def full_precision_parameters(self) -> int:
        if self.architecture.quantises_experts_only:
            return self._outside_experts()
        return self.embedding if self.tied else 2 * self.embedding

    def window_layers(self) -> int:
        """Counts the layers that have a sliding window."""
        types = self.fields.items("layer_types")
        if types is not None and self.architecture.windows != "none":
            return self._windows_among(types)
        return self._windows_by_rule() if self.window else 0

    def _windows_by_rule(self) -> int:
        match self.architecture.windows:
            case "every second":
                return (self.layers + 1) // 2
            case "pattern":
                return self.layers - self.layers // self.fields.whole("sliding_window_pattern", 6)
            case "late":
                return max(0, self.layers - self.fields.whole("max_window_layers", least=0))
            case _:
                return self.layers

    def _windows_among(self, types: list[object]) -> int:
        known = types.count("sliding_attention") + types.count("full_attention")
        if not len(types) == known == self.layers:
            self.fields.refuse(
                "layer_types",
                f"full_attention or sliding_attention for each of {self.layers} layers",
            )
        if "sliding_attention" in types and not self.window:
            self.fields.refuse(
                "sliding_window", "the window's tokens, since layer_types has sliding_attention"
            )
        return types.count("sliding_attention")

    def _head_dim(self) -> int:
        default = self.architecture.head_dim
        if default is None and self.fields.values.get("head_dim") is None:
            if self.hidden_size % self.heads:
                self.fields.refuse(
                    "head_dim", f"a whole number; {self.hidden_size} / {self.heads} is none"
                )
            default = self.hidden_size // self.heads
        return self.fields.whole("head_dim", default)

    def _window(self) -> int:
        windows = self.architecture.windows
        if windows == "none":
            return 0
        if windows == "late" and not self.fields.flag("use_sliding_window", default=False):
            return 0
        return self.fields.whole("sliding_window", self.architecture.sliding_window or 0)

    def _outside_experts(self) -> int:
        embeddings = self.embedding if self.tied else 2 * self.embedding
        dense_layers = self.layers - self.mixture_layers
        dense = dense_layers * self._feed_forward() if dense_layers else 0
        routers = self.mixture_layers * self.experts.router if self.experts else 0
        last_norm = self.hidden_size
        return embeddings + self.layers * self._attention() + dense + routers + last_norm

    def _in_experts(self, *, of_one_token: bool) -> int:
        if self.experts is None:
            return 0
        used = self.experts.chosen if of_one_token else self.experts.count
        return self.mixture_layers * used * self.experts.each

    def _attention(self) -> int:
        """Counts a layer's attention and its norms."""
        architecture, hidden = self.architecture, self.hidden_size
        queries = self.heads * self.head_dim
        keys_values = 2 * self.key_value_heads * self.head_dim
        total = hidden * (2 * queries + keys_values) + architecture.norms * hidden
        if architecture.bias == "query, key, value":
            total += queries + keys_values
        elif architecture.bias == "field" and self.fields.flag(
            "attention_bias", default=architecture.attention_bias
        ):
            total += queries + keys_values + hidden
        if architecture.head_norms:
            total += 2 * self.head_dim
        if architecture.attention_sinks:
            total += self.heads
        return total

    def _feed_forward(self) -> int:
        """Counts a layer's gate, up and down projections."""
        inner = self.fields.whole("intermediate_size")
        has_bias = self.fields.flag("mlp_bias", default=False)
        return 3 * self.hidden_size * inner + has_bias * (2 * inner + self.hidden_size)

    def _experts(self) -> tuple[int, _Experts | None]:
        """Returns in how many layers there are experts, and these."""
        architecture, fields = self.architecture, self.fields
        if not architecture.experts_field:
            return 0, None
        count = fields.whole(architecture.experts_field)
        chosen = fields.whole("num_experts_per_tok")
        if chosen > count:
            fields.refuse("num_experts_per_tok", f"at most {architecture.experts_field}, {count}")
        inner = fields.whole(architecture.expert_size_field)
        has_bias = architecture.expert_bias
        each = 3 * self.hidden_size * inner + has_bias * (2 * inner + self.hidden_size)
        router = count * (self.hidden_size + has_bias)
        step = fields.whole("decoder_sparse_step", 1)
        dense = {
            layer
            for layer in fields.items("mlp_only_layers") or []
            if isinstance(layer, int) and 0 <= layer < self.layers and (layer + 1) % step == 0
        }
        return self.layers // step - len(dense), _Experts(count, chosen, each, router)


def _vision_parameters(whole: ConfigFields, text_hidden_size: int) -> int:
    """Counts Gemma 3's vision tower (SigLIP) and the projector to the language model."""
    fields = whole.part("vision_config")
    hidden, inner = fields.whole("hidden_size"), fields.whole("intermediate_size")
    patch = fields.whole("patch_size")
    positions = (fields.whole("image_size") // patch) ** 2
    embedding = 3 * patch**2 * hidden + hidden + positions * hidden
    attention = 4 * (hidden**2 + hidden)
    feed_forward = 2 * hidden * inner + inner + hidden
    two_norms = 4 * hidden
    layers = fields.whole("num_hidden_layers") * (attention + feed_forward + two_norms)
    projector = hidden * text_hidden_size + hidden
    return embedding + layers + 2 * hidden + projector
