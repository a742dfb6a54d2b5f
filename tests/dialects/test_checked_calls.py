"""Tool calls whose arguments are no JSON object are found, in every format and however the stream is cut."""

import json

import pytest

from gateway.dialects.checked_calls import MOST_BYTES, CallsOfStream, is_malformed_in

CUT, WHOLE, LIST = '{"city": "Par', '{"city": "Paris"}', '["Paris"]'


def events(*documents: dict[str, object]) -> bytes:
    return b"".join(
        f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode()
        if "type" in one
        else f"data: {json.dumps(one)}\n\n".encode()
        for one in documents
    )


def chat(*arguments: str) -> bytes:
    """Two pieces for each call."""
    deltas: list[dict[str, object]] = []
    for index, text in enumerate(arguments):
        function = {"name": "weather", "arguments": text[:4]}
        deltas.append({"index": index, "id": f"call_{index}", "type": "function", "function": function})
        deltas.append({"index": index, "function": {"arguments": text[4:]}})
    chunks: list[dict[str, object]] = [
        {"id": "1", "choices": [{"index": 0, "delta": {"tool_calls": [delta]}}]} for delta in deltas
    ]
    return events(*chunks)


def messages(*arguments: str) -> bytes:
    made: list[dict[str, object]] = []
    for index, text in enumerate(arguments):
        block = {"type": "tool_use", "id": f"toolu_{index}", "name": "weather", "input": {}}
        made.append({"type": "content_block_start", "index": index, "content_block": block})
        made += [
            {"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": part}}
            for part in (text[:4], text[4:])
        ]
        made.append({"type": "content_block_stop", "index": index})
    return events(*made)


def responses(*arguments: str) -> bytes:
    made: list[dict[str, object]] = []
    for index, text in enumerate(arguments):
        item = {"type": "function_call", "id": f"fc_{index}", "call_id": f"call_{index}", "name": "weather"}
        made.append({"type": "response.output_item.added", "output_index": index, "item": item | {"arguments": ""}})
        made += [
            {
                "type": "response.function_call_arguments.delta",
                "item_id": f"fc_{index}",
                "output_index": index,
                "delta": part,
            }
            for part in (text[:4], text[4:])
        ]
        done = item | {"arguments": text, "status": "completed"}
        made.append({"type": "response.output_item.done", "output_index": index, "item": done})
    return events(*made)


STREAMS = {"openai_chat": chat, "anthropic_messages": messages, "openai_responses": responses}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize(
    ("arguments", "is_malformed"),
    [((WHOLE,), False), ((CUT,), True), ((LIST,), True), ((WHOLE, CUT), True), ((WHOLE, WHOLE), False), ((), False)],
    ids=["whole", "broken off", "a list", "the second", "both whole", "none"],
)
def test_arguments_that_are_no_object_are_found_in_a_stream(
    name: str, arguments: tuple[str, ...], is_malformed: bool
) -> None:
    stream = STREAMS[name](*arguments)
    for size in (1, 7, len(stream) or 1):
        calls = CallsOfStream(name)
        for start in range(0, len(stream), size):
            calls.take(stream[start : start + size])
        assert calls.is_malformed() is is_malformed, size


def test_a_stream_may_be_seen_from_its_first_call_on_only() -> None:
    calls = CallsOfStream("openai_chat")
    calls.take(events({"id": "1", "choices": [{"index": 0, "delta": {"content": "Let me see"}}]}) + chat(CUT))
    assert calls.is_malformed()


def test_a_call_without_arguments_is_a_good_one() -> None:
    calls = CallsOfStream("openai_chat")
    calls.take(chat(""))
    assert not calls.is_malformed()


def test_what_is_too_long_is_taken_for_good_and_not_kept() -> None:
    calls = CallsOfStream("openai_chat")
    for _ in range(3):
        calls.take(b" " * (MOST_BYTES // 2) + chat(CUT))
    assert not calls.is_malformed()


@pytest.mark.parametrize(("arguments", "is_malformed"), [(WHOLE, False), (CUT, True), (LIST, True)])
def test_a_whole_answer_is_looked_at_as_well(arguments: str, is_malformed: bool) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = {"id": "1", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    assert is_malformed_in(json.dumps(body).encode(), "openai_chat") is is_malformed


def test_a_format_without_calls_has_none_that_are_malformed() -> None:
    assert not is_malformed_in(b'{"choices":[]}', "openai_completions")
