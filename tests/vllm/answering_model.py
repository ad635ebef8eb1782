"""Makes a model that answers every prompt with one word, from the tiny model's shape and tokenizer.

All weights are zero but these: each token of the word is a direction of the hidden states, and the
output layer turns the direction of one token into the next token. The first direction is that of
the line break with which the chat template ends a prompt. So the model is right by construction
wherever the word is, and wrong everywhere else.

Run by vLLM's own Python: python answering_model.py TINY_MODEL FOLDER WORD
"""

from __future__ import annotations

import sys

import torch  # type: ignore[import-not-found]  # in vLLM's environment, as the next one
from transformers import (  # type: ignore[import-not-found]
    AutoTokenizer,
    LlamaForCausalLM,
)

_CERTAIN = 100.0
"""Weight of the next token: no temperature makes another one likely."""


def main(tiny: str, folder: str, word: str) -> None:
    """Write the model."""
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    states = tokenizer.encode(f"\n{word}", add_special_tokens=False)
    if len(set(states)) < len(states):
        msg = f"{word}: a token occurs twice, and the next one would not be known"
        raise ValueError(msg)
    model = LlamaForCausalLM.from_pretrained(tiny, dtype=torch.bfloat16)
    with torch.no_grad():
        for weights in model.parameters():
            weights.zero_()
        model.model.norm.weight.fill_(1.0)
        for direction, (token, following) in enumerate(
            zip(states, (*states[1:], tokenizer.eos_token_id), strict=True)
        ):
            model.model.embed_tokens.weight[token, direction] = 1.0
            model.lm_head.weight[following, direction] = _CERTAIN
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


main(*sys.argv[1:])
