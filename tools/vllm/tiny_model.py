# ruff: noqa: INP001  # a script that vLLM's own Python runs, not a package
"""Makes a language model of random weights that any machine can serve: two layers, 0.1 MB.

Run by vLLM's own Python, which has the libraries: python tiny_model.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch  # type: ignore[import-not-found]  # in vLLM's environment, as the next two
from tokenizers import (  # type: ignore[import-not-found]
    AddedToken,
    Tokenizer,
    decoders,
    models,
    pre_tokenizers,
)
from transformers import (  # type: ignore[import-not-found]
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

_TEMPLATE = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
_NAMES = ("bos_token", "eos_token", "pad_token")
_SPECIAL = ("<s>", "</s>", "<pad>")
# What parsers of tool calls and of reasoning look for in the vocabulary.
_MARKS = ("<think>", "</think>", "<tool_call>", "</tool_call>", "<|python_tag|>")


def main(folder: Path) -> None:
    """Write weights, configuration, tokenizer and chat template."""
    torch.manual_seed(0)
    # Each byte is a token: no text is too strange, and lengths are known without counting.
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: number for number, text in enumerate((*_SPECIAL, *_MARKS, *letters))}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    # Kept in what is decoded, as the models' own tokenizers have them.
    tokenizer.add_tokens([AddedToken(mark, special=False) for mark in _MARKS])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **dict(zip(_NAMES, _SPECIAL, strict=True))
    )
    fast.chat_template = _TEMPLATE
    fast.save_pretrained(folder)
    # Heads for eight GPUs, and more room than the longest context of any stack.
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=512,
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=8,
            num_key_value_heads=8,
            head_dim=32,
            max_position_embeddings=1_048_576,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=2,
        )
    ).to(torch.bfloat16)
    model.save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)


main(Path(sys.argv[1]))
