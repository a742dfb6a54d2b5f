"""Every format that callers speak, answered by providers of every format, whole and streamed.

The providers are simulated ones in their native formats, which share nothing with the translators; what comes back is
read strictly by the caller's own SDK.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from anthropic.types import MessageParam, ToolParam
from google import genai
from google.genai import types
from google.genai.errors import APIError
from msgspec import Struct

from tests.running import DEADLINE_SECONDS, Gateway, Simulator, stopped_after

BASES = {
    "openai_chat": "/v1",
    "openai_responses": "/v1",
    "anthropic_messages": "/v1",
    "gemini": "/v1beta",
    "cohere_v2": "/v2",
    "ollama": "",
}
OUTBOUND = list(BASES)
SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {"query": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 5}},
    "required": ["query", "limit"],
}
OFFER = """
      - id: {model}
        upstream_name: {upstream}
        abilities: [tools, json_schema]
        context_window: 100000
        max_output_tokens: 4000
        input_price_usd: {price}
        output_price_usd: {price}"""
PLAIN, CALLING, CUT = "coder-pro", "coder-pro:OK;calls=1", "coder-pro:F53;after=5"
FAILING = "coder-pro:F29"


def offer(model: str, upstream: str, price: float = 1) -> str:
    return OFFER.format(model=model, upstream=f'"{upstream}"', price=price)


def settings(port: int) -> str:
    """A provider per format. What is `shaky` fails at its own, and is to be had for more at the next one."""
    told = ["providers:"]
    for number, dialect in enumerate(OUTBOUND):
        before = OUTBOUND[number - 1]
        told += [f"  {name_of(dialect)}:", f"    base_url: http://127.0.0.1:{port}{BASES[dialect]}"]
        told += [f"    dialect: {dialect}", "    models:"]
        told[-1] += offer("own/plain", PLAIN) + offer("own/calling", CALLING) + offer("own/cut", CUT)
        told[-1] += offer(f"own/shaky-{dialect}", FAILING, 0.01) + offer(f"own/shaky-{before}", PLAIN, 50)
    return "\n".join(told) + "\nmetadata: {body: false}\nrouters: {auto: {weights: {cost: 1}}}"


def name_of(dialect: str) -> str:
    return "own-" + dialect.replace("_", "-")


class Told(Struct):
    """What a caller has read of an answer, however it came. Each list should have one entry, calls at least one."""

    text: str = ""
    calls: list[tuple[str, str]] = []  # name, arguments
    finishes: list[str] = []
    usages: list[tuple[int, int]] = []  # input, output


class Clients:
    """The official SDKs, all at one gateway. OpenAI's and Anthropic's refuse what their types do not allow.

    `lenient`: for Completions, whose types do not allow what OpenAI itself streams, a finish_reason that is null.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.headers: Mapping[str, str] = {}  # of the last answer
        self._http = httpx2.Client(event_hooks={"response": [self._note]}, timeout=DEADLINE_SECONDS)
        asked: dict[str, Any] = {"api_key": "unused", "max_retries": 0, "http_client": self._http}
        self.lenient = openai.OpenAI(base_url=f"{gateway.url}/v1", **asked)
        asked["_strict_response_validation"] = True
        self.openai = openai.OpenAI(base_url=f"{gateway.url}/v1", **asked)
        self.anthropic = anthropic.Anthropic(base_url=gateway.url, **asked)
        options = types.HttpOptions(base_url=gateway.url, httpx_client=self._http)
        self.google = genai.Client(api_key="unused", http_options=options)

    def _note(self, response: httpx2.Response) -> None:
        self.headers = response.headers

    def receipt(self) -> dict[str, Any]:
        """Of the last answer."""
        decision = self.gateway.http.get(f"/v1/decisions/{self.headers['x-steelyard-decision']}").json()
        receipt: dict[str, Any] = decision["receipt"]
        return receipt

    def close(self) -> None:
        self.google.close()
        self._http.close()


# One function per format: ask a model, perhaps with a tool that has to be called, and read the answer.


def chat(clients: Clients, model: str, forced: bool, stream: bool) -> Told:
    asked: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    if forced:
        function = {"name": "lookup", "parameters": SCHEMA}
        asked |= {"tools": [{"type": "function", "function": function}], "tool_choice": "required"}
    told = Told()
    if not stream:
        answer = clients.openai.chat.completions.create(**asked)
        (choice,) = answer.choices
        calls = [(call.function.name, call.function.arguments) for call in choice.message.tool_calls or ()]
        usage = answer.usage
        assert usage is not None
        totals = [(usage.prompt_tokens, usage.completion_tokens)]
        return Told(choice.message.content or "", calls, [choice.finish_reason], totals)
    roles: list[str] = []
    pieces: dict[int, list[str]] = {}
    for chunk in clients.openai.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}):
        if chunk.usage:
            told.usages.append((chunk.usage.prompt_tokens, chunk.usage.completion_tokens))
        for part in chunk.choices:
            roles += [part.delta.role] if part.delta.role else []
            told.finishes += [part.finish_reason] if part.finish_reason else []
            told.text += part.delta.content or ""
            for call in part.delta.tool_calls or ():
                piece = pieces.setdefault(call.index, ["", ""])
                piece[0] += call.function.name or ""
                piece[1] += call.function.arguments or ""
    assert roles == ["assistant"]
    told.calls = [(name, arguments) for name, arguments in pieces.values()]
    return told


def completions(clients: Clients, model: str, forced: bool, stream: bool) -> Told:
    if not stream:
        answer = clients.lenient.completions.create(model=model, prompt="hello")
        assert answer.usage is not None
        totals = [(answer.usage.prompt_tokens, answer.usage.completion_tokens)]
        return Told(answer.choices[0].text, [], [answer.choices[0].finish_reason], totals)
    told = Told()
    asked = {"stream_options": {"include_usage": True}}
    for chunk in clients.lenient.completions.create(model=model, prompt="hello", stream=True, extra_body=asked):
        told.usages += [(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)] if chunk.usage else []
        for choice in chunk.choices:
            told.text += choice.text
            told.finishes += [choice.finish_reason] if choice.finish_reason else []
    return told


def responses(clients: Clients, model: str, forced: bool, stream: bool) -> Told:
    asked: dict[str, Any] = {"model": model, "input": "hello"}
    if forced:
        asked |= {"tools": [{"type": "function", "name": "lookup", "parameters": SCHEMA}], "tool_choice": "required"}
    if not stream:
        answer = clients.openai.responses.create(**asked)
    else:
        events = list(clients.openai.responses.create(**asked, stream=True))
        assert [event.sequence_number for event in events] == list(range(len(events)))
        ends = [event for event in events if event.type in ("response.completed", "response.incomplete")]
        assert ends == events[-1:]
        answer = ends[0].response
        pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(pieces) == answer.output_text
    calls = [(item.name, item.arguments) for item in answer.output if item.type == "function_call"]
    assert answer.usage is not None
    finish = "tool_calls" if calls else "stop"
    totals = [(answer.usage.input_tokens, answer.usage.output_tokens)]
    return Told(answer.output_text, calls, [finish] if answer.status == "completed" else [], totals)


def messages(clients: Clients, model: str, forced: bool, stream: bool) -> Told:
    hello: list[MessageParam] = [{"role": "user", "content": "hello"}]
    tools: list[ToolParam] = [{"name": "lookup", "input_schema": SCHEMA}] if forced else []
    asked: dict[str, Any] = {"model": model, "max_tokens": 900, "messages": hello}
    if forced:
        asked |= {"tools": tools, "tool_choice": {"type": "any"}}
    if not stream:
        return message_read(clients.anthropic.messages.create(**asked))
    with clients.anthropic.messages.stream(**asked) as events:
        kinds = [event.type for event in events]
        answer = events.get_final_message()
    assert [kinds.count(kind) for kind in ("message_start", "message_delta", "message_stop")] == [1, 1, 1]
    return message_read(answer)


def message_read(answer: anthropic.types.Message) -> Told:
    text = "".join(block.text for block in answer.content if block.type == "text")
    calls = [(block.name, json.dumps(block.input)) for block in answer.content if block.type == "tool_use"]
    finishes = {"end_turn": "stop", "tool_use": "tool_calls"}
    totals = [(answer.usage.input_tokens, answer.usage.output_tokens)]
    return Told(text, calls, [finishes[answer.stop_reason or ""]], totals)


def gemini(clients: Clients, model: str, forced: bool, stream: bool) -> Told:
    config = types.GenerateContentConfig()
    if forced:
        declared = types.FunctionDeclaration(name="lookup", description="finds", parameters_json_schema=SCHEMA)
        calling = types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
        config.tools = [types.Tool(function_declarations=[declared])]
        config.tool_config = types.ToolConfig(function_calling_config=calling)
    models = clients.google.models
    if stream:
        chunks = list(models.generate_content_stream(model=model, contents="hello", config=config))
    else:
        chunks = [models.generate_content(model=model, contents="hello", config=config)]
    told = Told()
    for chunk in chunks:
        for candidate in chunk.candidates or ():
            for part in candidate.content.parts or () if candidate.content else ():
                told.text += part.text or ""
                call = part.function_call
                told.calls += [(call.name or "", json.dumps(call.args))] if call else []
            told.finishes += [candidate.finish_reason.name] if candidate.finish_reason else []
    assert told.finishes == ["STOP"]
    told.finishes = ["tool_calls" if told.calls else "stop"]
    usage = chunks[-1].usage_metadata
    assert usage is not None
    told.usages = [(usage.prompt_token_count or 0, usage.candidates_token_count or 0)]
    return told


Ask = Callable[[Clients, str, bool, bool], Told]
INBOUND: list[Ask] = [chat, completions, responses, messages, gemini]
CALLING_TOOLS = [ask for ask in INBOUND if ask is not completions]
WAYS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
CALLERS = pytest.mark.parametrize("ask", INBOUND, ids=lambda ask: ask.__name__)
PROVIDERS = pytest.mark.parametrize("dialect", OUTBOUND)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    simulator = Simulator(tmp_path_factory.mktemp("natives"), "sim-delta")
    with stopped_after(simulator):
        yield simulator


@pytest.fixture(scope="module")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("matrix"), settings(simulator.ports["sim-delta"]))
    with stopped_after(gateway):
        yield gateway


@pytest.fixture(scope="module")
def clients(gateway: Gateway) -> Iterator[Clients]:
    clients = Clients(gateway)
    yield clients
    clients.close()


def last_billed(gateway: Gateway, simulator: Simulator) -> dict[str, Any]:
    entries: list[dict[str, Any]] = gateway.http.get(f"http://127.0.0.1:{simulator.ports['sim-delta']}/_sim/log").json()
    return entries[-1]


@WAYS
@PROVIDERS
@CALLERS
def test_a_text_arrives_with_one_finish_and_with_what_was_billed(
    clients: Clients, simulator: Simulator, ask: Ask, dialect: str, stream: bool
) -> None:
    told = ask(clients, f"own/plain@{name_of(dialect)}", False, stream)
    assert told.text.startswith("This is Steelyard's simulator")
    assert told.text.endswith((".", "!"))
    assert (told.calls, told.finishes) == ([], ["stop"])
    billed = last_billed(clients.gateway, simulator)
    assert (billed["stream"], billed["outcome"]) == (stream, "done")
    assert told.usages == [(billed["prompt_tokens"], billed["output_tokens"])]
    receipt = clients.receipt()
    assert (receipt["provider"], receipt["outcome"]) == (name_of(dialect), "ok")
    usage = receipt["usage"]
    assert [(usage["input_tokens"], usage["output_tokens"])] == told.usages
    assert not usage["estimated"]


@WAYS
@PROVIDERS
@pytest.mark.parametrize("ask", CALLING_TOOLS, ids=lambda ask: ask.__name__)
def test_a_tool_that_must_be_called_is_called(clients: Clients, ask: Ask, dialect: str, stream: bool) -> None:
    """Nothing can force a call at Ollama; there the simulated model calls of its own accord."""
    model = "own/calling" if dialect == "ollama" else "own/plain"
    told = ask(clients, f"{model}@{name_of(dialect)}", True, stream)
    assert told.finishes == ["tool_calls"]
    assert {name for name, _ in told.calls} == {"lookup"}
    assert all(json.loads(arguments)["limit"] in range(1, 6) for _, arguments in told.calls)


@PROVIDERS
@CALLERS
def test_a_stream_that_breaks_ends_in_an_error_that_the_callers_sdk_raises(
    clients: Clients, ask: Ask, dialect: str
) -> None:
    with pytest.raises((openai.APIError, anthropic.APIError, APIError), match="cut"):
        ask(clients, f"own/cut@{name_of(dialect)}", False, True)
    assert clients.receipt()["outcome"] != "ok"


@WAYS
@CALLERS
def test_a_fault_before_the_first_word_is_not_seen_whatever_the_next_one_speaks(
    clients: Clients, ask: Ask, stream: bool
) -> None:
    """Each caller meets another provider first, so that none fails often enough to be left alone."""
    number = INBOUND.index(ask) + (3 if stream else 0)
    first, second = (OUTBOUND[row % len(OUTBOUND)] for row in (number, number + 1))
    told = ask(clients, f"own/shaky-{first}", False, stream)
    assert told.text.startswith("This is Steelyard's simulator")
    attempts = clients.receipt()["attempts"]
    assert [attempt["target"].partition("@")[2] for attempt in attempts] == [name_of(first), name_of(second)]


# How often a stream of each format may say each of these, by the bytes.
ONCE: dict[str, tuple[str, dict[str, Any], tuple[str, ...], str]] = {
    "chat": (
        "/v1/chat/completions",
        {"messages": [{"role": "user", "content": "hello"}], "stream_options": {"include_usage": True}},
        ('"role":"assistant"', '"finish_reason":"stop"', '"usage":{'),
        "data: [DONE]",
    ),
    "completions": (
        "/v1/completions",
        {"prompt": "hello", "stream_options": {"include_usage": True}},
        ('"finish_reason":"stop"', '"usage":{'),
        "data: [DONE]",
    ),
    "responses": (
        "/v1/responses",
        {"input": "hello"},
        ("event: response.created", "event: response.output_item.done", '"usage":{'),
        "event: response.completed",
    ),
    "messages": (
        "/v1/messages",
        {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 900},
        ('"role":"assistant"', '"stop_reason":"end_turn"', "event: message_delta"),
        "event: message_stop",
    ),
    "gemini": (
        "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        {"contents": [{"parts": [{"text": "hello"}]}]},
        ('"finishReason":"STOP"',),
        'data: {"candidates"',
    ),
}


@PROVIDERS
@pytest.mark.parametrize("name", ONCE)
def test_a_stream_says_each_thing_once_and_its_terminator_last(gateway: Gateway, name: str, dialect: str) -> None:
    path, body, marks, terminator = ONCE[name]
    model = f"own/plain@{name_of(dialect)}"
    asked = body if name == "gemini" else {**body, "model": model, "stream": True}
    headers = {"x-steelyard-explain": "0"}
    text = gateway.http.post(path.format(model=model), json=asked, headers=headers).text
    assert {mark: text.count(mark) for mark in marks} == dict.fromkeys(marks, 1)
    assert text.rstrip().split("\n\n")[-1].startswith(terminator)
    if name != "gemini":
        assert text.count(terminator) == 1
