"""Every fault of the table sends the bytes that it promises."""

import gzip
import json
import zlib
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import pytest

from gateway.simulator.faults.table import FAULTS
from tests.simulator.wire import Seen, ask


class Promise(NamedTuple):
    """What one fault does to a request; None: not looked at."""

    spec: str
    stream: bool | None  # None: both
    ending: str = "whole"
    status: int = 200
    has: bytes = b""  # in the raw bytes
    lacks: bytes = b"\x00never\x00"
    passes: Callable[[Seen, Seen], bool] = lambda seen, good: True


def same_text(seen: Seen, good: Seen) -> bool:
    return seen.text == good.text


def prefix(tokens: int) -> Callable[[Seen, Seen], bool]:
    """Exactly the first `tokens` events with content, each as in the good stream but for the id."""

    def passes(seen: Seen, good: Seen) -> bool:
        wanted = [chunk["choices"] for chunk in good.chunks[: tokens + 1]]
        whole_events = seen.body.split(b"\n\n")[: tokens + 1]
        return [json.loads(event.removeprefix(b"data: "))["choices"] for event in whole_events] == wanted

    return passes


def half_of_length(seen: Seen, good: Seen) -> bool:
    return 0 < len(seen.body) < int(seen.header("content-length"))


def is_json(seen: Seen) -> bool:
    try:
        json.loads(seen.body)
    except ValueError:
        return False
    return True


def usage_of(seen: Seen) -> dict[str, object]:
    usage: dict[str, object] = json.loads(seen.body)["usage"]
    return usage


def inflates_to_zeros(seen: Seen, good: Seen) -> bool:
    return gzip.decompress(seen.body) == bytes(2 << 20) and len(seen.body) < 8192


def odd_spelling_means_the_same(seen: Seen, good: Seen) -> bool:
    """A small SSE reader by the book: all three line ends, one optional space, data lines joined."""
    assert seen.body.startswith(b"\xef\xbb\xbf")
    lines = seen.body[3:].replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    payloads: list[list[bytes]] = [[]]
    for line in lines:
        if not line:
            payloads.append([])
        elif line.startswith(b"data:"):
            payloads[-1].append(line[5:].removeprefix(b" "))
    told = [b"\n".join(parts) for parts in payloads if parts]
    return [json.loads(event)["choices"] for event in told[:-1]] == [chunk["choices"] for chunk in good.chunks]


def finishes(seen: Seen) -> int:
    return sum(b'"finish_reason":"' in event for event in seen.events)


def echoed(seen: Seen, good: Seen) -> bool:
    received = json.loads(seen.text)
    return ["x-steelyard-simulate", "F78"] in received["headers"] and json.loads(received["body"])["model"].startswith(
        "sim"
    )


PROMISES = (
    Promise("OK;tokens=7", None, passes=lambda seen, good: len(seen.text.split()) >= 3),
    Promise("F06", None, "rst", 0, passes=lambda seen, good: not seen.raw),
    Promise("F07", None, "fin", 0, passes=lambda seen, good: not seen.raw),
    Promise("F08", None, "silent", 0, passes=lambda seen, good: not seen.raw),
    Promise("F09;delay=40", None, passes=same_text),
    Promise("F10;gap=1", None, passes=same_text),
    Promise("F10;gap=30000", None, "silent", 0, passes=lambda seen, good: seen.raw == b"H"),
    Promise("F11;ra=7", None, status=429, has=b"retry-after: 7\r\n"),
    Promise("F11;ra=90", None, status=429, has=b"x-ratelimit-reset-requests: 1m30s\r\n"),
    Promise("F12;ra=1.5", None, status=429, has=b"retry-after-ms: 1500\r\nretry-after: 2\r\n"),
    Promise("F13;skew=3600", None, status=429, has=b" GMT\r\n"),
    Promise("F14;ra=7.66", None, status=429, has=b"Please try again in 7.66s.", lacks=b"retry-after"),
    Promise("F15", None, status=429, has=b'"retryDelay":"7s"', lacks=b"PerDay"),
    Promise("F15;v=day", None, status=429, has=b"GenerateRequestsPerDay"),
    Promise("F16", None, status=429, has=b"anthropic-ratelimit-requests-reset: 20"),
    Promise("F17", None, status=429, has=b'"code":"insufficient_quota"', lacks=b"retry-after"),
    Promise("F17;v=anthropic", None, status=429, has=b"enforced_spend_limit_reached"),
    Promise("F18;v=huge", None, status=429, has=b"retry-after: 100000000000000000000\r\n"),
    Promise("F18;v=neg", None, status=429, has=b"retry-after: -5\r\n"),
    Promise("F18;v=nan", None, status=429, has=b"retry-after: NaN\r\n"),
    Promise("F18;v=text", None, status=429, has=b"retry-after: soon\r\n"),
    Promise("F18;v=zero", None, status=429, has=b"retry-after: 0\r\n"),
    Promise("F18;v=many", None, status=429, passes=lambda seen, good: seen.raw.count(b"retry-after:") == 4),
    Promise("F19", None, status=402),
    Promise("F20", None, status=400, has=b"credit balance is too low"),
    Promise("F21", None, status=401, has=b"sk-echo-me"),
    Promise("F21;v=quiet", None, status=401, lacks=b"sk-echo-me"),
    Promise("F22", None, status=403, has=b"permission"),
    Promise("F22;v=region", None, status=403, has=b"unsupported_country_region_territory"),
    Promise("F23", None, status=404, has=b"model_not_found"),
    Promise("F24", None, status=408),
    Promise("F25", None, status=413, has=b"request_too_large"),
    Promise("F26", None, status=400),
    Promise("F26;v=422", None, status=422),
    Promise("F27", None, status=400, has=b"context_length_exceeded"),
    Promise("F27;v=anthropic", None, status=400, has=b"prompt is too long"),
    Promise("F27;v=gemini", None, status=400, has=b"INVALID_ARGUMENT"),
    Promise("F27;v=sglang", None, status=400, has=b"longer than the model's context length"),
    Promise("F27;v=llamacpp", None, status=400, has=b"exceed_context_size_error"),
    Promise("F27;v=copilot", None, status=400, has=b"model_max_prompt_tokens_exceeded"),
    Promise("F28", None, status=400, has=b"content_filter"),
    Promise("F29", None, status=500),
    Promise("F30", None, status=502, has=b"<html>"),
    Promise("F31;ra=2", None, status=503, has=b"retry-after: 2\r\n"),
    Promise("F32", None, status=504),
    Promise("F33", None, status=529, has=b"overloaded_error"),
    Promise("F34", None, has=b'{"error":'),
    Promise("F35", None, has=b"<html>"),
    Promise("F36", None, passes=lambda seen, good: not seen.body),
    Promise("F37", None, "fin", passes=half_of_length),
    Promise("F38", None, passes=lambda seen, good: bool(seen.body) and not is_json(seen)),
    Promise("F39", False, has=b'"choices":[]'),
    Promise("F39", True, has=b'"choices":[]', lacks=b'"content"'),
    Promise("F39;v=null", False, has=b'"content":null'),
    Promise("F39;v=null", True, has=b'"delta":null'),
    Promise("F39;v=nousage", None, lacks=b"prompt_tokens", passes=same_text),
    Promise("F40", False, passes=lambda seen, good: b"chat.completion" in gzip.decompress(seen.body)),
    Promise("F40;v=corrupt", False, has=b"content-encoding: gzip", passes=lambda seen, good: not inflates(seen)),
    Promise("F40;v=lie", False, has=b"content-encoding: gzip", passes=lambda seen, good: is_json(seen)),
    Promise("F41;mb=2", None, passes=inflates_to_zeros),
    Promise("F42;mb=1", None, passes=lambda seen, good: len(seen.body) > 1 << 20 and not seen.header("content-length")),
    Promise("F43;n=1", None, passes=lambda seen, good: seen.body.count(b"[") == 1000),
    Promise("F44", None, status=307, has=b"location: http://elsewhere.invalid/"),
    Promise("F44;v=meta", None, status=307, has=b"location: http://169.254.169.254/"),
    Promise("F45", False, has=b"set-cookie: ", passes=same_text),
    Promise("F45;v=big", None, passes=lambda seen, good: len(seen.header("x-padding")) == 65536),
    Promise("F46", None, "fin", 0, has=b"HTTP/one.one"),
    Promise(
        "F46;v=cl_te",
        None,
        "fin",
        has=b"transfer-encoding: chunked\r\n",
        passes=lambda s, g: b"content-length" in s.head,
    ),
    Promise("F46;v=cl2", None, "fin", passes=lambda seen, good: seen.head.count(b"content-length") == 2),
    Promise("F46;v=badchunk", None, "fin", has=b"\r\n\r\nzz\r\n"),
    Promise("F47", None, has=b"HTTP/1.1 103 Early Hints", passes=same_text),
    Promise("F48", None, passes=same_text),
    Promise("F49;gap=0;tokens=3", None, has=b"\r\n1\r\n{\r\n", passes=lambda seen, good: is_json(seen)),
    Promise("F50", True, has=b'data: {"error":', lacks=b"[DONE]", passes=lambda seen, good: len(seen.events) == 1),
    Promise("F50", False, has=b'{"error":'),
    Promise("F51;after=3", True, has=b'data: {"error":', lacks=b"[DONE]", passes=prefix(3)),
    Promise("F51;after=3;v=done", True, has=b"data: [DONE]", passes=prefix(3)),
    Promise("F52;after=3", True, lacks=b"[DONE]", passes=prefix(3)),
    Promise("F53;after=3", True, "fin", lacks=b"\r\n0\r\n", passes=prefix(3)),
    Promise("F53", False, "fin", passes=lambda seen, good: not is_json(seen)),
    Promise("F54;after=3", True, "rst", passes=prefix(3)),
    Promise("F54", False, "rst", passes=lambda seen, good: not is_json(seen)),
    Promise("F55;after=3", True, "fin", passes=lambda s, g: prefix(3)(s, g) and not s.body.endswith(b"\n\n")),
    Promise("F55", False, "fin"),
    Promise("F56;after=3", True, "silent", passes=prefix(3)),
    Promise("F56", False, "silent", passes=lambda seen, good: bool(seen.body) and not is_json(seen)),
    Promise("F57", None, "silent", passes=lambda seen, good: not seen.body),
    Promise("F59;after=3", True, passes=lambda seen, good: len(seen.events) == len(good.events) + 1),
    Promise("F60", True, lacks=b"[DONE]", passes=same_text),
    Promise("F61", None, lacks=b"completion_tokens", passes=same_text),
    Promise(
        "F62",
        True,
        passes=lambda s, g: finishes(s) == 2 and s.body.count(b"[DONE]") == 2 and b"late" in s.text.encode(),
    ),
    Promise("F63;tokens=5", None, passes=lambda seen, good: seen.text != ""),
    Promise("F64", True, passes=odd_spelling_means_the_same),
    Promise("F65;mb=1", True, passes=lambda seen, good: max(map(len, seen.events)) > 1 << 20),
    Promise("F67", True, passes=lambda seen, good: gunzip(seen).count(b"data: ") == len(good.events)),
    Promise("F67", False, passes=lambda seen, good: b"chat.completion" in gunzip(seen)),
    Promise("F68", True, has=b"content-type: text/plain", passes=same_text),
    Promise("F68", False, has=b"content-type: text/plain", passes=lambda seen, good: is_json(seen)),
    Promise("F69", None, has=b'"object":"chat.completion"', passes=same_text),
    Promise("F70;after=3", True, has=b'"UNAVAILABLE"', lacks=b"[DONE]", passes=prefix(3)),
    Promise("F71", None, has=b'"finish_reason":"content_filter"', passes=lambda seen, good: seen.text in good.text),
    Promise("F72;n=500", None, passes=lambda seen, good: seen.text.count(" token") == 500),
    Promise("F73;gap=1", None, passes=same_text),
    Promise("F74", True, "silent", has=b"data: [DONE]", passes=same_text),
    Promise("F75", None, has=b'"finish_reason":"tool_calls"', passes=lambda seen, good: b'\\"}' not in seen.body),
    Promise("F76", False, passes=lambda seen, good: int(str(usage_of(seen)["completion_tokens"])) < 0),
    Promise("F76;v=huge", None, has=b'"prompt_tokens":1000000000000000000000000000000'),
    Promise("F76;v=float", None, has=b".5,"),
    Promise("F76;v=str", None, has=b'"total_tokens":"many"'),
    Promise("F76;v=less", None, has=b'"completion_tokens":0'),
    Promise("F77", None, has=b"\\ud800", passes=lambda s, g: "<script>" in s.text and b"<script>" not in s.head),
    Promise("F78", None, passes=echoed),
    Promise("F80;pr=0", None, passes=same_text),
    Promise("F80;pr=1;v=503", None, status=503),
    Promise("F81;k=0", None, passes=same_text),
    Promise("F82;c=0", None, status=529),
    Promise("F82;c=1", None, passes=same_text),
    Promise("F83;gap=1;c=1", None, passes=same_text),
    Promise("F84;pr=1;delay=1", None, passes=same_text),
)
CASES = [
    pytest.param(promise, stream, id=f"{promise.spec}-{'stream' if stream else 'document'}")
    for promise in PROMISES
    for stream in ((True, False) if promise.stream is None else (promise.stream,))
]
# Tested below, by what does not end, or in test_script, where the port itself fails.
ELSEWHERE = {"F58", "F66", "F01", "F03"}


def inflates(seen: Seen) -> bool:
    try:
        gunzip(seen)
    except (OSError, zlib.error, EOFError):
        return False
    return True


def gunzip(seen: Seen) -> bytes:
    return gzip.decompress(seen.body)


@pytest.mark.parametrize(("promise", "stream"), CASES)
def test_a_fault_sends_what_it_promises(port: int, promise: Promise, stream: bool) -> None:
    asked = {"stream": stream, "stream_options": {"include_usage": True}} if stream else {"stream": False}
    good = ask(port, **asked)
    assert good.ending == "whole"
    seen = ask(port, promise.spec, key="sk-echo-me", **asked)
    assert (seen.ending, seen.status) == (promise.ending, promise.status)
    assert promise.has in seen.raw
    assert promise.lacks not in seen.raw
    assert promise.passes(seen, good)


@pytest.mark.parametrize(
    ("spec", "stream", "endless"),
    [
        ("F58;gap=1", True, b": ping\n\n"),
        ("F58;gap=1", False, b"\n"),
        ("F66;after=2", True, b"a" * 65536),
        ("F42;mb=100000", False, b"a" * 65536),
    ],
)
def test_what_never_ends_goes_on_until_the_caller_leaves(port: int, spec: str, stream: bool, endless: bytes) -> None:
    seen = ask(port, spec, stream=stream, limit=20 * len(endless) + 4000)
    assert not seen.ending
    assert seen.raw.count(endless) > 10


def test_every_fault_of_the_table_is_tested() -> None:
    assert {promise.spec.partition(";")[0] for promise in PROMISES} | ELSEWHERE == set(FAULTS)


def test_a_cut_tool_call_is_of_a_tool_that_was_offered(port: int) -> None:
    schema = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
    tool = {"type": "function", "function": {"name": "read", "parameters": schema}}
    seen = ask(port, "F75", tools=[tool])
    (call,) = json.loads(seen.body)["choices"][0]["message"]["tool_calls"]
    assert call["function"]["name"] == "read"
    with pytest.raises(json.JSONDecodeError):
        json.loads(call["function"]["arguments"])


def test_a_date_to_wait_for_is_relative_to_the_providers_own_clock(port: int) -> None:
    seen = ask(port, "F13;ra=60;skew=3600")
    ahead = parsedate_to_datetime(seen.header("retry-after")) - parsedate_to_datetime(seen.header("date"))
    assert ahead.total_seconds() == 60
