"""Vocabularies that an engine fetches when it starts, unless it is given their files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VocabularyFile:
    """A file of a vocabulary.

    Attributes:
        address: Where it is published.
        sha256: Its checksum, 64 hexadecimal digits.
    """

    address: str
    sha256: str


HARMONY = (
    VocabularyFile(
        "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
    VocabularyFile(
        "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
)
"""What gpt-oss needs in the folder of TIKTOKEN_ENCODINGS_BASE.

Names and use: vLLM's recipe of gpt-oss. Checksums: tiktoken_ext/openai_public.py of tiktoken 0.14.0
(PyPI), read on 2026-11-30.
"""
