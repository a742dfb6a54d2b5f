"""The official SDK reads what the relay writes: texts arrive, and a broken stream raises."""

import httpx2
import openai
import pytest

from tests.dialects.streams import NAMES, expected, relayed, stream


def sdk_text(body: bytes) -> str:
    """The text of the first choice, as the SDK's own stream reader hands it out."""
    answer = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)
    transport = httpx2.MockTransport(lambda request: answer)
    with openai.OpenAI(api_key="k", base_url="http://127.0.0.1", http_client=httpx2.Client(transport=transport)) as sdk:
        text = ""
        for chunk in sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True):
            for choice in chunk.choices:
                if choice.index == 0:
                    text += choice.delta.content or ""
        return text


@pytest.mark.parametrize("name", [name for name in NAMES if expected(name)["complete"]])
def test_the_sdk_reads_a_whole_answer(name: str) -> None:
    relay, out = relayed([stream(name)])
    assert relay.complete
    assert sdk_text(out) == expected(name)["text"]


@pytest.mark.parametrize("name", [name for name in NAMES if not expected(name)["complete"]])
def test_the_sdk_raises_when_an_answer_was_cut(name: str) -> None:
    relay, out = relayed([stream(name)])
    with pytest.raises(openai.APIError, match="the provider went away"):
        sdk_text(out + relay.cut("the provider went away", 502, "upstream_error", b'{"a":1}'))
