"""How a stream goes on from another replica."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_streams import Said

CHAT: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "hello"}],
    "stream": True,
}
COMPLETION: dict[str, Any] = {"model": "m", "prompt": "hello", "stream": True}


def chunk(
    text: str | None = None, *, name: str = "id", usage: Any = None, index: int = 0, **delta: Any
) -> Any:
    """A chunk as LiteLLM makes it of a chat."""
    choice = SimpleNamespace(index=index, delta=SimpleNamespace(content=text, **delta))
    return SimpleNamespace(id=name, created=1, choices=[choice], usage=usage)


def completion(text: str) -> Any:
    """The same of a completion."""
    choice = SimpleNamespace(index=0, text=text)
    return SimpleNamespace(id="id", created=1, choices=[choice])


def said(*texts: str) -> Said:
    stream = Said()
    for text in texts:
        stream.add(chunk(text))
    return stream


def text_of(given_chunk: Any) -> str:
    return str(given_chunk.choices[0].delta.content)


def test_a_chat_goes_on_after_what_was_said() -> None:
    rest = said("one ", "two ").rest(CHAT)
    assert rest is not None
    assert rest["messages"] == [*CHAT["messages"], {"role": "assistant", "content": "one two"}]
    assert rest["continue_final_message"] is True
    assert rest["add_generation_prompt"] is False


def test_a_completion_goes_on_after_what_was_said() -> None:
    stream = Said()
    stream.add(completion(" and"))
    rest = stream.rest(COMPLETION)
    assert rest == {**COMPLETION, "prompt": "hello and"}


@pytest.mark.parametrize("request_of", [CHAT, COMPLETION])
def test_what_has_said_nothing_is_asked_again_as_it_was(request_of: dict[str, Any]) -> None:
    assert Said().rest(request_of) == request_of


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_what_was_said_counts_against_the_limit(limit: str) -> None:
    rest = said("one ", "two ").rest({**CHAT, limit: 5})
    assert rest is not None
    assert rest[limit] == 3


def test_a_second_loss_counts_all_that_was_said() -> None:
    stream = said("one ")
    stream.rest({**CHAT, "max_tokens": 5})
    stream.add(chunk(" two "))
    rest = stream.rest({**CHAT, "max_tokens": 5})
    assert rest is not None
    assert rest["messages"][-1]["content"] == "one two"
    assert rest["max_tokens"] == 3


@given(
    words=st.lists(st.text(" \nab", min_size=1), min_size=2, max_size=6),
    cut=st.integers(min_value=1, max_value=5),
)
def test_the_client_reads_the_same_wherever_it_was_cut(words: list[str], cut: int) -> None:
    """The next replica begins behind what it was given, which has no whitespace at its end."""
    first, then = words[:cut], "".join(words[cut:])
    stream = Said()
    for word in first:
        stream.add(chunk(word))
    rest = stream.rest(CHAT)
    assert rest is not None
    given_text = "".join(first).rstrip()
    answer = "".join(words)[len(given_text) :]
    # Where nothing was said yet that counts, the request is the same, and so is the answer.
    read = "".join(text_of(stream.add(chunk(part))) for part in answer)
    assert read == then
    again = stream.rest(CHAT)
    assert again is not None
    expected = "".join(words).rstrip()
    assert (again["messages"][-1]["content"] if expected else "") == expected


def test_the_stream_keeps_its_identity() -> None:
    stream = said("one ")
    stream.rest(CHAT)
    other = stream.add(chunk("two", name="another"))
    assert (other.id, other.created) == ("id", 1)


def test_what_was_given_of_the_answer_is_no_input_of_the_client() -> None:
    stream = said("one ", "two ")
    stream.rest(CHAT)
    stream.add(chunk("three"))
    usage = SimpleNamespace(prompt_tokens=12, completion_tokens=1, total_tokens=13)
    stream.add(chunk(usage=usage))
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 3, 13)


@pytest.mark.parametrize(
    "more",
    [
        {"n": 2},
        {"tools": [{"type": "function"}]},
        {"response_format": {"type": "json_object"}},
        {"logprobs": True},
        {"reasoning_effort": "low"},
        {"min_tokens": 10},
    ],
)
def test_what_has_a_state_in_the_engine_does_not_go_on(more: dict[str, Any]) -> None:
    assert said("one ").rest({**CHAT, **more}) is None


@pytest.mark.parametrize("more", [{"n": 1}, {"logprobs": False}, {"tools": None}])
def test_what_is_asked_for_by_its_default_goes_on(more: dict[str, Any]) -> None:
    assert said("one ").rest({**CHAT, **more}) is not None


@pytest.mark.parametrize("other", ["tool_calls", "reasoning_content"])
def test_an_answer_that_is_more_than_text_does_not_go_on(other: str) -> None:
    stream = said("one ")
    more: dict[str, Any] = {other: "something"}
    stream.add(chunk("two", **more))
    assert stream.rest(CHAT) is None


def test_a_second_choice_does_not_go_on() -> None:
    stream = said("one ")
    stream.add(chunk("two", index=1))
    assert stream.rest(CHAT) is None


@pytest.mark.parametrize("more", [{"echo": True}, {"prompt": ["a", "b"]}, {"suffix": "end"}])
def test_a_completion_whose_place_is_not_told_does_not_go_on(more: dict[str, Any]) -> None:
    stream = Said()
    stream.add(completion("text"))
    assert stream.rest({**COMPLETION, **more}) is None
