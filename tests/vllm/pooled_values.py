# ruff: noqa: T201  # prints its answer: a script that vLLM's own Python runs, not a package
"""Computes vectors and scores of texts with transformers, to compare with what vLLM answers.

Run by vLLM's own Python: python pooled_values.py MODEL. Standard input has JSON: "texts" with the
token that makes a vector ("CLS" or "LAST"), or "pairs" with "answers", the tokens whose likelihood
is the score, or with none for the score of a classifier. Prints a list of vectors or scores.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import torch  # type: ignore[import-not-found]  # in vLLM's environment, as the next
from transformers import (  # type: ignore[import-not-found]
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)


def vectors(folder: str, tokenizer: Any, asked: dict[str, Any]) -> list[list[float]]:
    """Returns the vector of each text: the state of one of its tokens, of length 1."""
    model = AutoModel.from_pretrained(folder, dtype=torch.bfloat16).eval()
    place = {"CLS": 0, "LAST": -1}[asked["token"]]
    found = []
    for text in asked["texts"]:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        state = model(input_ids=ids).last_hidden_state[0, place].float()
        found.append((state / state.norm()).tolist())
    return found


def scores(folder: str, tokenizer: Any, asked: dict[str, Any]) -> list[float]:
    """Returns the score of each pair, from 0 to 1."""
    answers = asked["answers"]
    kind = AutoModelForCausalLM if answers else AutoModelForSequenceClassification
    model = kind.from_pretrained(folder, dtype=torch.bfloat16).eval()
    found = []
    for first, second in asked["pairs"]:
        encoded = tokenizer(first) if answers else tokenizer(first, second)
        logits = model(input_ids=torch.tensor([encoded["input_ids"]])).logits.float()
        if answers:
            no, yes = (tokenizer.convert_tokens_to_ids(answer) for answer in answers)
            score = torch.softmax(logits[0, -1, [no, yes]], dim=0)[1]
        else:
            score = torch.sigmoid(logits[0, 0])
        found.append(float(score))
    return found


def main() -> None:
    """Answer what is asked on standard input."""
    folder, asked = sys.argv[1], json.load(sys.stdin)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        compute = vectors if "texts" in asked else scores
        print(json.dumps(compute(folder, tokenizer, asked)))


main()
