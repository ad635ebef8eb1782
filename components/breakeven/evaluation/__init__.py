"""Evaluation of models: prompts with checks, sent to endpoints, recorded."""
