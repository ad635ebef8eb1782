"""Images are found again by what they were made from, and are named as stacks must name them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bootstrap.console import SetupError
from bootstrap.layout import Layout
from bootstrap.vllm import version
from breakeven.settings.files import ROOT
from node import engine, images
from node.places import Places
from tests.recording import settings_of


def places_with(folder: Path, **known: dict[str, str]) -> Places:
    places = Places(folder / "node", folder)
    places.kept().imported.write_text(json.dumps(known), encoding="utf-8")
    return places


def test_a_stack_accepts_the_engine_s_image_by_the_name_that_it_has_here(tmp_path: Path) -> None:
    tag = f"v{version(Layout.of(ROOT, {}))}"
    made = {"key": "any", "tag": tag, "digest": f"sha256:{'0' * 64}"}
    named = images.reference(places_with(tmp_path, **{engine.ENGINE: made}), engine.ENGINE)
    assert settings_of("on-prem", **{"engine.image": named}).engine.image == named


def test_an_image_that_was_not_made_is_refused_with_the_command_that_makes_it(
    tmp_path: Path,
) -> None:
    with pytest.raises(SetupError, match=r"no image node.local/vllm-openai(?s:.)*make node"):
        images.reference(places_with(tmp_path), engine.ENGINE)
