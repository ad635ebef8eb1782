"""Addresses of APIs in OpenAI's form, as the source of LiteLLM 1.104.2 lists them."""

from __future__ import annotations

from collections.abc import Mapping

API_ADDRESSES: Mapping[str, str] = {
    "cerebras": "https://api.cerebras.ai/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "fireworks": "https://api.fireworks.ai/inference/v1",
    "groq": "https://api.groq.com/openai/v1",
    "mistral": "https://api.mistral.ai/v1",
    "novita": "https://api.novita.ai/v3/openai",
    "openai": "https://api.openai.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "x-ai": "https://api.x.ai/v1",
}
"""By provider, as genai-prices names it."""
