"""Targets that read how a provider refuses: what is wrong, and how long to stay away."""

import json
from typing import Any

import msgspec

from gateway.providers.faults import RULES, Verdict, classify_answer, classify_error_object
from gateway.providers.redact import LONGEST_MESSAGE
from gateway.providers.wait import LONGEST_WAIT_SECONDS, stated_wait
from tests.fuzz.seeds import refusals
from tests.fuzz.target import Target

NOW = 1_764_000_000.0
KEY = "sk-canary-Zq8vT2mX5cR7nB4w"
STATEMENTS = (
    "retry-after: 20",
    "retry-after-ms: 1500",
    "Retry-After: Mon, 23 Nov 2026 08:00:20 GMT\ndate: Mon, 23 Nov 2026 08:00:00 GMT",
    "x-ratelimit-reset-tokens: 6m0s\nx-ratelimit-remaining-tokens: 0",
    "anthropic-ratelimit-requests-reset: 2026-11-23T08:00:00Z\nanthropic-ratelimit-requests-remaining: 0",
    "x-ratelimit-reset: 1764000000000",
    "x-amzn-errortype: ThrottlingException:http://example.org",
    "retry-after: -1\nretry-after: nan",
)


def as_text(line: bytes) -> bytes:
    """Status, headers, an empty line, and the body: an answer as it is written down."""
    row: dict[str, Any] = json.loads(line)
    body = json.dumps(row["body"]) if "body" in row else row.get("text", "")
    head = f"{row['provider']} {row['status']}\n{STATEMENTS[len(line) % len(STATEMENTS)]}\n"
    return f"{head}\n{body}".encode()


def check_wait(data: bytes) -> None:
    """A wait is within the hour, a fault is one printable line, and a key is never shown."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    provider, _, status = first.partition(" ")
    headers = dict(line.partition(": ")[::2] for line in lines)
    wait = stated_wait(headers, body, NOW)
    assert wait is None or 0.0 <= wait <= LONGEST_WAIT_SECONDS
    code = int(status) if status.isascii() and status.isdigit() and len(status) == 3 else 500
    fault = classify_answer(provider, code, headers, body, (KEY,), NOW)
    assert len(fault.message) <= LONGEST_MESSAGE
    assert fault.message.isprintable()
    assert KEY not in fault.message + fault.code
    assert KEY.encode() not in fault.body
    assert bool(fault.body) <= (RULES[fault.kind].verdict is not Verdict.NEXT)
    if fault.body:
        assert isinstance(msgspec.json.decode(fault.body), dict)
    assert classify_error_object(provider, body, code, (KEY,)).message.isprintable()


SEEDS = tuple(map(as_text, refusals())) + tuple(f"openai 429\n{statement}\n\n{{}}".encode() for statement in STATEMENTS)
TARGETS = (Target("provider.wait", check_wait, (*SEEDS, f'x 401\n\n{{"error":{{"message":"{KEY}"}}}}'.encode())),)
