"""Any body, mark and answer, on the gateway's real programs: what reaches whom, what is counted.

Above all what the composite cluster and the counters of accesses, which Envoy does not support
against hostile input, ever see.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.asking import A
from tests.gateway.client import CHAT
from tests.gateway.running import MARK, Cluster
from tests.gateway.stand_in import Faults

FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MESSAGES = json.dumps([{"role": "user", "content": MARK}])
SPACE = st.sampled_from(["", " ", "\n", "\t\r\n", "\x00", "\u00a0", "//", "/**/"])
NAMES = st.sampled_from(
    [
        "model",
        "messages",
        "n",
        "stream",
        "max_tokens",
        "user",
        "mod\\u0065l",
        "Model",
        "model ",
        "x",
    ]
)
VALUES = st.one_of(
    st.sampled_from(['"MODEL"', '"API"', '"\\u004dODEL"', "NaN", "1e9", "-0", "00", "'x'", "true"]),
    st.sampled_from([MESSAGES, "[[[]]]", "{", "]", '"', '"\\"']),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    ).map(json.dumps),
)
MEMBERS = st.lists(st.tuples(SPACE, NAMES, SPACE, VALUES), max_size=4)
VALID = f'"model":"MODEL","messages":{MESSAGES}'


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A request's body with members added before and after, and bytes of it replaced."""
    parts = [f'{a}"{name}"{b}:{value}' for a, name, b, value in draw(MEMBERS)]
    parts.insert(draw(st.integers(0, len(parts))), VALID)
    text = bytearray(f"{{{','.join(parts)}}}{draw(SPACE)}".encode(errors="replace"))
    for _ in range(draw(st.integers(0, 2))):
        text[draw(st.integers(0, len(text) - 1))] = draw(st.integers(0, 255))
    return bytes(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    assert len(found) == len(pairs), "a name appears twice"
    return found


@FEW
@given(bodies(), st.sampled_from(["sk-legal", "sk-product"]))
def test_any_body_is_refused_or_read_alike_by_all(serving: Cluster, body: bytes, key: str) -> None:
    """What arrives has each name once, known ones alone, a served model, and no large number."""
    api_model = serving.settings.api.in_use
    for old, new in (("MODEL", serving.model), ("API", api_model)):
        body = body.replace(old.encode(), new.encode())
    serving.begin_anew()
    answer = serving.call("POST", CHAT, key=key, body=body, headers={"X-Stay-Inside": "1"})
    assert answer.status in (200, 400, 403, 404), body
    assert not serving.api.asked
    for one in serving.asked():
        try:
            content = one.content.decode()
        except UnicodeDecodeError:
            continue  # no engine reads it
        try:
            # A name that appears twice further inside is the engine's to read.
            outermost = _outermost(content)
        except ValueError:
            continue
        assert set(outermost) <= serving.rendered.parameters()
        assert outermost["model"] == serving.model
        assert outermost.get("n") in (None, 1, 2, 3, 4)


def _outermost(text: str) -> dict[str, Any]:
    """The members of a JSON object; fails where one of the outermost appears twice."""
    json.loads(text)
    levels: list[list[tuple[str, Any]]] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        levels.append(pairs)
        return dict(pairs)

    json.loads(text, object_pairs_hook=keep)
    return _once(levels[-1])  # objects end from the inside out


WORDS = st.one_of(
    st.sampled_from(["false", "true", "", " false", "FALSE", "false,true", "0", "fal\u017fe"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8),
)


@FEW
@given(st.lists(st.tuples(st.sampled_from(["X-Stay-Inside", "x-stay-inside"]), WORDS), max_size=3))
def test_any_mark_but_a_single_false_stays_inside(
    cluster: Cluster, headers: list[tuple[str, str]]
) -> None:
    """No replica is there: what may leave is answered by the API, and the rest is refused."""
    sent = [(name, value.encode().decode("latin-1")) for name, value in headers]
    answer = cluster.ask(headers=sent)
    may_leave = not sent or (len(sent) == 1 and sent[0][1].strip() == "false")
    assert (answer.by == "api") <= may_leave, sent
    assert answer.status in ((200,) if may_leave else (503, 400)), sent


@FEW
@given(
    text=st.one_of(
        st.binary(min_size=1, max_size=200),
        st.lists(
            st.sampled_from(
                [
                    *(b'"usage"', b'"prompt_tokens"', b'"completion_tokens"', b'"choices":[]'),
                    *(b":", b"{", b"}", b'"', b"\\", b"7", b"-1", b"1e9", b"9" * 30),
                    *(b"data: ", b"\n\n", b"[DONE]"),
                ]
            ),
            min_size=1,
            max_size=30,
        ).map(b"".join),
    ),
    stream=st.booleans(),
)
def test_any_answer_is_passed_on_and_only_adds_to_the_counters(
    serving: Cluster, text: bytes, *, stream: bool
) -> None:
    serving.replicas[A].faults = Faults(text=text)
    before = serving.metric("envoy_gateway_nano_usd", to="own")
    answer = serving.ask("sk-legal", stream=stream)
    assert answer.status == 200
    assert serving.metric("envoy_gateway_nano_usd", to="own") >= before
    known = {*serving.teams, serving.model, serving.settings.api.in_use, "", "-"}
    assert set(re.findall(r'\b(?:team|model)="([^"]*)"', serving.metrics())) <= known
