"""Chat Completions requests as Prompts, and errors in OpenAI's shape."""

import json
from typing import Any

import pytest

from gateway.dialects.openai_chat import error_body, parse
from gateway.errors import InvalidRequest, ProviderRefused, UnknownModel
from gateway.wire.ability import Ability
from gateway.wire.prompt import Prompt

HI = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def body(**members: Any) -> bytes:
    return json.dumps({"model": "auto", "messages": [HI], **members}).encode()


def prompt(**members: Any) -> Prompt:
    return parse(body(**members))


def part(kind: str, **members: Any) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": "look"}, {"type": kind, kind: members}]}


def test_the_least_request() -> None:
    text = body()
    assert parse(text) == Prompt(
        dialect="openai_chat",
        body=text,
        model="auto",
        chain=(),
        stream=False,
        wants_usage=False,
        needs=Ability(0),
        texts=(b'"hi"',),
        message_count=1,
        last_role="user",
        tool_count=0,
        image_count=0,
        max_output_tokens=None,
        choices=1,
        session="",
    )


def test_texts_keep_their_order_and_their_escapes() -> None:
    messages = [
        {"role": "developer", "content": "rules"},
        {"role": "user", "content": [{"type": "text", "text": "é\n"}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "tool", "tool_call_id": "1", "content": "done"},
    ]
    found = prompt(messages=messages, tools=[TOOL])
    assert found.texts == (
        b'"rules"',
        rb'"\u00e9\n"',
        b'"two"',
        b'[{"id": "1"}]',
        b'"done"',
        json.dumps(TOOL).encode(),
    )
    assert (found.message_count, found.last_role, found.tool_count) == (4, "tool", 1)


@pytest.mark.parametrize(
    ("members", "needs"),
    [
        ({"tools": [TOOL]}, Ability.TOOLS),
        ({"functions": [TOOL["function"]]}, Ability.TOOLS),
        ({"tools": []}, Ability(0)),
        ({"messages": [part("image_url", url="data:,")]}, Ability.IMAGES),
        ({"messages": [part("input_audio", data="")]}, Ability.AUDIO),
        ({"messages": [part("file", file_id="x")]}, Ability.FILES),
        ({"messages": [part("video_url", url="https://x")]}, Ability.VIDEO),
        ({"messages": [part("new_thing")]}, Ability(0)),
        ({"response_format": {"type": "text"}}, Ability(0)),
        ({"response_format": {"type": "json_object"}}, Ability.JSON_MODE),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, Ability.JSON_SCHEMA),
        ({"logprobs": True}, Ability.LOGPROBS),
        ({"logprobs": False}, Ability(0)),
        ({"reasoning_effort": "high"}, Ability(0)),
        ({"tools": [TOOL], "messages": [part("image_url", url="http://x")]}, Ability.TOOLS | Ability.IMAGES),
    ],
)
def test_a_request_needs_what_it_uses(members: dict[str, Any], needs: Ability) -> None:
    assert prompt(**members).needs == needs


def test_images_are_counted() -> None:
    assert prompt(messages=[part("image_url", url="data:,a"), part("image_url", url="data:,b")]).image_count == 2


@pytest.mark.parametrize(
    ("members", "tokens"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 7}, 7),
        ({"max_tokens": 5, "max_completion_tokens": 7}, 7),
        ({"max_tokens": None}, None),
    ],
)
def test_the_output_limit_has_two_names(members: dict[str, Any], tokens: int | None) -> None:
    assert prompt(**members).max_output_tokens == tokens


@pytest.mark.parametrize(
    ("members", "session"),
    [
        ({"user": "u"}, "u"),
        ({"user": "u", "session_id": "s"}, "s"),
        ({"user": "u", "session_id": "s", "prompt_cache_key": "k"}, "k"),
        ({"prompt_cache_key": ""}, ""),
        ({"safety_identifier": "i"}, "i"),
        ({"safety_identifier": "i", "user": "u"}, "u"),
        ({"metadata": {"session_id": "m"}, "user": "u"}, "m"),
        ({"metadata": {"session_id": "m"}, "session_id": "s"}, "s"),
        ({"metadata": {"session_id": 5, "other": []}, "user": "u"}, "u"),
        ({"metadata": None}, ""),
    ],
)
def test_the_most_specific_field_names_the_session(members: dict[str, Any], session: str) -> None:
    assert prompt(**members).session == session


@pytest.mark.parametrize(
    ("options", "wants"),
    [(None, False), ({}, False), ({"include_usage": True}, True), ({"include_usage": None}, False)],
)
def test_usage_in_streams_is_asked_for_explicitly(options: dict[str, bool] | None, wants: bool) -> None:
    assert prompt(stream=True, stream_options=options).wants_usage is wants


def test_null_means_absent() -> None:
    assert prompt(stream=None, n=None, tools=None, models=None, response_format=None, user=None) == parse(
        body(stream=None, n=None, tools=None, models=None, response_format=None, user=None)
    )
    assert prompt(n=None).choices == 1


@pytest.mark.parametrize(
    ("text", "model", "chain"),
    [
        (b'{"messages":[{"role":"user"}],"models":["a","b"]}', "fast", ("a", "b")),
        (b'{"messages":[{"role":"user"}]}', "fast", ()),
        (b'{"messages":[{"role":"user"}],"model":""}', "fast", ()),
        (b'{"messages":[{"role":"user"}],"model":null}', "fast", ()),
        (b'{"messages":[{"role":"user"}],"model":"m","models":["a"]}', "m", ("a",)),
    ],
)
def test_the_default_model_stands_in(text: bytes, model: str, chain: tuple[str, ...]) -> None:
    found = parse(text, default_model="fast")
    assert (found.model, found.chain) == (model, chain)


def test_a_chain_needs_no_model() -> None:
    assert parse(b'{"messages":[{"role":"user"}],"models":["a"]}').model == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "The request body is empty; expected a JSON object."),
        (b" \n", "The request body is empty; expected a JSON object."),
        (b'{"model":', "The request body is not valid JSON: Input data was truncated."),
        (
            b'{"model":"a",\n "messages":?}',
            "The request body is not valid JSON: invalid character '?' near byte 26 (line 2, column 13).",
        ),
        (b"[]", "Invalid type of the request body: expected an object, but got an array instead."),
        (b"7", "Invalid type of the request body: expected an object, but got an integer instead."),
        (b"{}", "Missing required parameter: 'messages'."),
        (b'{"model":"a"}', "Missing required parameter: 'messages'."),
        (body(messages=None), "Invalid type for 'messages': expected an array, but got null instead."),
        (body(messages={}), "Invalid type for 'messages': expected an array, but got an object instead."),
        (body(messages=[]), "Invalid 'messages': empty array. Expected at least 1 message."),
        (body(messages=["hi"]), "Invalid type for 'messages[0]': expected an object, but got a string instead."),
        (body(messages=[HI, {}]), "Missing required parameter: 'messages[1].role'."),
        (
            body(messages=[{"role": 5}]),
            "Invalid type for 'messages[0].role': expected a string, but got an integer instead.",
        ),
        (
            body(messages=[{"role": "robot"}]),
            "Invalid value: 'robot'. Supported values are: "
            "'system', 'developer', 'user', 'assistant', 'tool', and 'function'.",
        ),
        (
            body(messages=[HI, {"role": "user", "content": 5}]),
            "Invalid type for 'messages[1].content': "
            "expected a string or an array of parts, but got an integer instead.",
        ),
        (
            body(messages=[{"role": "user", "content": {"a": 1}}]),
            "Invalid type for 'messages[0].content': "
            "expected a string or an array of parts, but got an object instead.",
        ),
        (
            body(messages=[{"role": "user", "content": ["x"]}]),
            "Invalid type for 'messages[0].content[0]': expected an object, but got a string instead.",
        ),
        (
            body(messages=[{"role": "user", "content": [{"text": "x"}]}]),
            "Missing required parameter: 'messages[0].content[0].type'.",
        ),
        (
            body(messages=[{"role": "user", "content": [{"type": "text", "text": 5}]}]),
            "Invalid type for 'messages[0].content[0].text': expected a string, but got an integer instead.",
        ),
        (
            body(messages=[{"role": "user", "content": [{"type": "text"}]}]),
            "Missing required parameter: 'messages[0].content[0].text'.",
        ),
        (body(model=None), "Missing required parameter: 'model'."),
        (body(model=5), "Invalid type for 'model': expected a string, but got an integer instead: 5."),
        (body(models=["a", 3]), "Invalid type for 'models[1]': expected a string, but got an integer instead."),
        (body(models="a"), "Invalid type for 'models': expected an array, but got a string instead: \"a\"."),
        (body(stream="yes"), "Invalid type for 'stream': expected a boolean, but got a string instead: \"yes\"."),
        (body(n=0), "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead."),
        (body(n=129), "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 129 instead."),
        (body(n=1.5), "Invalid type for 'n': expected an integer, but got a decimal number instead: 1.5."),
        (
            body(max_tokens=0),
            "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        ),
        (body().replace(b"{", b'{"n":' + b"1" * 5000 + b",", 1), "Invalid 'n': Integer value out of range."),
        (
            body(max_completion_tokens=10**25),
            "Invalid 'max_completion_tokens': integer above maximum value. "
            "Expected a value <= 9007199254740992, but got a number of more than 20 digits instead.",
        ),
        (body(tools={}), "Invalid type for 'tools': expected an array, but got an object instead."),
        (
            body(response_format="json"),
            "Invalid type for 'response_format': expected an object, but got a string instead: \"json\".",
        ),
        (
            body(messages=[HI] * 10_001),
            "Invalid 'messages': array too long. Expected at most 10000 messages, but got 10001 instead.",
        ),
        (
            body(x=json.loads("[" * 70 + "]" * 70)),
            "The request body cannot be accepted: nested deeper than 64 levels.",
        ),
        (
            b'{"model":"a","messages":[{"role":"user"}],"x":"\xff"}',
            "The request body cannot be accepted: not a well-formed JSON object in UTF-8.",
        ),
        (
            b'{"model":"a","messages":[{"role":"user"}],"x":' + b"[" * 10**6,
            "The request body cannot be accepted: nested deeper than 64 levels.",
        ),
        (
            body(x=[0] * 300_000),
            "The request body cannot be accepted: more than 300,000 values in all; send less at once.",
        ),
        (
            body(tools=[TOOL] * 2_049),
            "Invalid 'tools': array too long. Expected at most 2048 tools, but got 2049 instead.",
        ),
        (
            body(functions=[{}] * 2_049),
            "Invalid 'functions': array too long. Expected at most 2048 functions, but got 2049 instead.",
        ),
        (
            body(messages=[{"role": "user", "content": [{"type": "x"}] * 4_000}] * 3),
            "Invalid 'messages': array too long. "
            "Expected at most 10000 parts of content in all messages together, but got 12000 instead.",
        ),
        (body(tools=[TOOL, 7]), "Invalid type for 'tools[1]': expected an object, but got an integer instead."),
        (
            body(model="m" * 257),
            "Invalid 'model': string too long. Expected at most 256 characters, but got 257 instead.",
        ),
        (
            body(models=["a", "m" * 300]),
            "Invalid 'models[1]': string too long. Expected at most 256 characters, but got 300 instead.",
        ),
        (
            body(temperature="hot"),
            "Invalid type for 'temperature': expected a number, but got a string instead: \"hot\".",
        ),
        (body(top_p=[1]), "Invalid type for 'top_p': expected a number, but got an array instead."),
        (
            body(presence_penalty="x" * 1000),
            f"Invalid type for 'presence_penalty': expected a number, but got a string instead: \"{'x' * 59}….",
        ),
        (
            body(messages=[{"role": "x" * 10**6}]),
            f"Invalid value: '{'x' * 60}…'. Supported values are: "
            "'system', 'developer', 'user', 'assistant', 'tool', and 'function'.",
        ),
        (
            rb'{"model":"a","messages":[{"role":"user","content":"\ud83d\ude00\ud83d"}]}',
            r"The request body holds \ud83d near byte 63 (line 1, column 64): half a surrogate pair, "
            "which is no character; write both halves or neither.",
        ),
        (
            rb'{"messages":[{"role":"user","content":[{"type":"text","text":"x\nx\udc00."}]}]}',
            r"The request body holds \udc00 near byte 66 (line 1, column 67): half a surrogate pair, "
            "which is no character; write both halves or neither.",
        ),
        (b"\xef\xbb\xbf{}", "The request body begins with a byte order mark; send JSON in UTF-8 without one."),
        (
            b'{"a":"\n"}',
            r"The request body is not valid JSON: invalid character '\n' near byte 6 (line 1, column 7).",
        ),
        (b" " * 2_000_000 + b"?", "The request body is not valid JSON: invalid character '?' near byte 2000000."),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(text: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(text)
    assert caught.value.message == message
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "param", "code"),
    [
        (b"{}", "messages", "missing_required_parameter"),
        (body(model=5), "model", "invalid_type"),
        (body(messages=[]), "messages", "empty_array"),
        (body(messages=[HI] * 10_001), "messages", "array_above_max_length"),
        (body(messages=[{"role": "x"}]), "messages[0].role", "invalid_value"),
        (body(n=0), "n", "integer_below_min_value"),
        (body(n=999), "n", "integer_above_max_value"),
        (b"x", None, None),
    ],
)
def test_an_error_names_the_parameter_and_has_a_code(text: bytes, param: str | None, code: str | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(text)
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize(
    "url",
    ["http://x/a.png", "HTTPS://x", "data:image/png;base64,QUJD", "Data:,", r"https:\/\/x", r"\u0068ttps://x"],
)
@pytest.mark.parametrize("kind", ["image_url", "video_url"])
def test_a_link_may_be_a_web_address_or_the_thing_itself(kind: str, url: str) -> None:
    text = b'{"model":"a","messages":[{"role":"user","content":[{"type":"%s","%s":%s}]}]}'
    for link in (f'{{"url":"{url}","detail":"low"}}', f'"{url}"'):
        assert parse(text % (kind.encode(), kind.encode(), link.encode())).message_count == 1


@pytest.mark.parametrize(
    ("link", "message", "where"),
    [
        ({"url": "file:///etc/passwd"}, "'file:///etc/passwd' is no http, https or data URL", ".url"),
        ("FILE:///etc/passwd", "'FILE:///etc/passwd' is no http, https or data URL", ""),
        ({"url": " file:///x"}, "' file:///x' is no http, https or data URL", ".url"),
        ({"url": "/etc/passwd"}, "'/etc/passwd' is no http, https or data URL", ".url"),
        ({"url": "gopher://x"}, "'gopher://x' is no http, https or data URL", ".url"),
        ({"url": "https//x"}, "'https//x' is no http, https or data URL", ".url"),
        ({"url": ""}, "'' is no http, https or data URL", ".url"),
        ({"url": "x" * 1000}, f"'{'x' * 60}…' is no http", ".url"),
        ({"url": 5}, "expected a string, but got an integer", ".url"),
        ({}, "Missing required parameter", ".url"),
        (None, "Missing required parameter", ".url"),
        (5, "expected a string or an object, but got an integer", ""),
    ],
)
def test_a_link_to_anything_else_is_refused(link: object, message: str, where: str) -> None:
    content = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": link}]
    with pytest.raises(InvalidRequest) as caught:
        prompt(messages=[HI, {"role": "user", "content": content}])
    assert message in caught.value.message
    assert caught.value.param == f"messages[1].content[1].image_url{where}"


def test_a_link_beside_a_text_is_nobodys_business() -> None:
    content = [{"type": "text", "text": "look", "image_url": None, "video_url": None}]
    assert prompt(messages=[{"role": "user", "content": content}]).needs == Ability(0)


def test_an_error_has_openais_shape_and_the_decision() -> None:
    error = UnknownModel("no such model: 'x'", param="model")
    assert json.loads(error_body(error, "dec_1")) == {
        "error": {
            "message": "no such model: 'x'",
            "type": "invalid_request_error",
            "param": "model",
            "code": "model_not_found",
        },
        "steelyard": {"decision": "dec_1"},
    }
    assert "steelyard" not in json.loads(error_body(error, None))


def test_a_providers_own_words_are_passed_on() -> None:
    own = b'{"error":{"message":"bad seed","type":"invalid_request_error","param":"seed","code":null,"x":1}}'
    error = ProviderRefused("refused", status=422, code=None, body=own)
    assert error_body(error, None) == own
    assert json.loads(error_body(error, "d")) == {**json.loads(own), "steelyard": {"decision": "d"}}


@pytest.mark.parametrize("own", [b"", b"<html>", b'{"detail":"x"}', b'{"error":"x"}', b'[{"error":{}}]'])
def test_a_document_of_another_shape_is_not_passed_on(own: bytes) -> None:
    error = ProviderRefused("refused: x", status=422, code="c", body=own)
    assert json.loads(error_body(error, None))["error"]["message"] == "refused: x"
