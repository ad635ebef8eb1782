"""Moves stacks and tests to another release of vLLM."""
