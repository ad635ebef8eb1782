# ruff: noqa: INP001  # a script that vLLM's own Python runs, not a package
"""Makes a model of random weights that embeds texts or scores pairs of them: two layers, 0.1 MB.

Run by vLLM's own Python: python tiny_pooling_model.py TINY_MODEL KIND FOLDER. TINY_MODEL is what
tiny_model.py made, whose tokenizer it takes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch  # type: ignore[import-not-found]  # in vLLM's environment, as the next
from transformers import (  # type: ignore[import-not-found]
    AutoTokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
    XLMRobertaModel,
)

_SIZES = {"vocab_size": 512, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
_ANSWERS = ("no", "yes")
"""By whose likelihood a decoder scores a pair."""


def decoder() -> Any:
    """Returns a decoder, as Qwen3-Embedding and Qwen3-Reranker are."""
    return Qwen3Config(
        **_SIZES,
        num_attention_heads=8,
        num_key_value_heads=8,
        head_dim=32,
        max_position_embeddings=40_960,
        tie_word_embeddings=True,
    )


def encoder() -> Any:
    """Returns an encoder, as bge-m3 and bge-reranker-v2-m3 are."""
    return XLMRobertaConfig(
        **_SIZES,
        num_attention_heads=2,  # of 32 numbers, the fewest for which CPUs have a kernel
        max_position_embeddings=8194,
        type_vocab_size=1,
        num_labels=1,
        # Their config.json has it, and vLLM asks for it; transformers no longer writes it.
        position_embedding_type="absolute",
    )


KINDS: Mapping[str, Callable[[], Any]] = {
    "XLMRobertaForSequenceClassification": lambda: XLMRobertaForSequenceClassification(encoder()),
    "XLMRobertaModel": lambda: XLMRobertaModel(encoder()),
    # The weights of an embedding decoder have no output head, whatever its config.json names.
    "embedding Qwen3ForCausalLM": lambda: Qwen3Model(decoder()),
    "Qwen3ForCausalLM": lambda: Qwen3ForCausalLM(decoder()),
}


def main(tiny: Path, kind: str, folder: Path) -> None:
    """Write weights, configuration and tokenizer."""
    torch.manual_seed(0)
    model = KINDS[kind]().to(torch.bfloat16)
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["architectures"] = [kind.rpartition(" ")[2]]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    tokenizer.add_tokens(list(_ANSWERS))
    tokenizer.save_pretrained(folder)


main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
