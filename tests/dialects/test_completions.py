"""POST /v1/completions: what cases can't show."""

import json

import pytest

from gateway.dialects.contract import TargetManner
from gateway.dialects.formats import INBOUND, OUTBOUND
from gateway.errors import InvalidRequest
from gateway.wire.conversation import Conversation
from gateway.wire.delta import Began, Delta, Finish, TextDelta, Usage
from tests.dialects.streams import chunks, payloads

COMPLETIONS = INBOUND["openai_completions"]


def test_routing_sees_a_prompt_as_one_message() -> None:
    body = (
        b'{"prompt":["Say hi"],"n":2,"max_tokens":5,"stream":true,"stream_options":{"include_usage":true},"user":"u"}'
    )
    prompt = INBOUND["openai_completions"].parse(body, "auto")
    assert (prompt.dialect, prompt.model, prompt.texts) == ("openai_completions", "auto", (b'"Say hi"',))
    assert (prompt.message_count, prompt.last_role, prompt.choices) == (1, "user", 2)
    assert (prompt.stream, prompt.wants_usage, prompt.max_output_tokens, prompt.session) == (True, True, 5, "u")


@pytest.mark.parametrize("body", [b'{"prompt":"x"}', b"", b"[]", b'{"model":5}', b'{"model":"m","n":0,"prompt":"x"}'])
def test_what_cannot_be_routed_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        INBOUND["openai_completions"].parse(body, "")


def test_old_parameters_are_losses_at_a_chat_provider() -> None:
    body = b'{"model":"m","prompt":"x","suffix":"!","logprobs":2,"echo":true,"best_of":3,"max_tokens":5}'
    manner = TargetManner("gpt-5", "openai", "openai", drop_fields=("max_completion_tokens",))
    outgoing = OUTBOUND["openai_chat"].write_request(COMPLETIONS.read_request(body), manner)
    assert {loss.field for loss in outgoing.losses} == {"suffix", "logprobs", "echo", "best_of", "max_tokens"}
    assert json.loads(outgoing.body)["messages"] == [{"role": "user", "content": "x"}]


def test_usage_goes_to_those_who_want_it_and_metadata_to_the_last_chunk() -> None:
    deltas: list[Delta] = [Began("r", "m", 1), TextDelta("a"), Finish("stop")]
    for wants_usage in (True, False):
        writer = COMPLETIONS.stream_writer(Conversation("openai_completions", ()), wants_usage)
        out = writer.write(deltas) + writer.closing(b'{"decision":"d"}', Usage(1, output_tokens=2))
        last = chunks(out)[-1]
        assert (payloads(out)[-1], last["steelyard"]) == ("[DONE]", {"decision": "d"})
        assert ("usage" in last) == wants_usage


def test_the_rest_is_openais() -> None:
    assert COMPLETIONS.attach(b'{"id":"x"}', b"{}") == b'{"id":"x","steelyard":{}}'
    assert json.loads(COMPLETIONS.error_body(InvalidRequest("no", param="x"), None))["error"]["param"] == "x"


@pytest.mark.parametrize("body", [b'{"prompt":"hi"}x', b'{"prompt":"a"}{"prompt":"b"}', b'{"prompt":"\xff"}'])
def test_what_is_no_json_is_called_that(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=r"not valid|UTF-8") as refusal:
        INBOUND["openai_completions"].parse(body, "auto")
    assert refusal.value.param is None
