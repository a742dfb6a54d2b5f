"""The same-dialect codec of OpenAI Chat Completions: nothing is re-encoded, bytes of both sides are spliced."""

from functools import lru_cache

import msgspec

from core.scan import top_level_spans
from gateway.dialects.answer import AnswerFacts, answer_as_stream, read_answer
from gateway.dialects.edits import Cut, Span, apply, attach, first_member, removals, with_value
from gateway.dialects.relay import StreamRelay
from gateway.wire.prompt import Prompt

__all__ = ["AnswerFacts", "StreamRelay", "answer_as_stream", "attach", "read_answer", "upstream_body"]

MODEL, STREAM_OPTIONS = range(2)
OURS = (b"model", b"stream_options", b"models", b"steelyard")  # the last two are for us, no provider sees them


def upstream_body(
    prompt: Prompt, upstream_model: str, *, stream_usage: bool = True, drop_fields: tuple[str, ...] = ()
) -> bytes:
    """The caller's body with another `model`, usage asked for in streams, and without what the provider must not see.

    stream_usage: the provider takes `stream_options.include_usage`. Of a duplicate member every occurrence is edited,
    because readers differ in which one they believe.
    """
    body = prompt.body
    model = msgspec.json.encode(upstream_model)
    spans = top_level_spans(body, edited_keys(drop_fields))
    asks_usage = prompt.stream and stream_usage
    drops_options = prompt.stream and not stream_usage
    removed: list[Span] = []
    cuts: list[Cut] = []
    added = b"" if any(key == MODEL for key, *_ in spans) else b'"model":' + model
    if asks_usage and not any(key == STREAM_OPTIONS for key, *_ in spans):
        added += (b"," if added else b"") + b'"stream_options":{"include_usage":true}'
    for span in spans:
        key, _, start, end, _ = span
        if key == MODEL:
            cuts.append((start, end, model))
        elif key > STREAM_OPTIONS or drops_options:
            removed.append(span)
        elif asks_usage:
            cuts.append((start, end, asking_usage(body[start:end])))
    if added:
        cuts.append(first_member(body, added))
    return apply(body, cuts + removals(body, removed))


@lru_cache(maxsize=64)  # one entry per provider row that drops something
def edited_keys(drop_fields: tuple[str, ...]) -> tuple[bytes, ...]:
    return OURS + tuple(field.encode() for field in drop_fields)


def asking_usage(options: bytes) -> bytes:
    """The caller's stream_options, with usage asked for."""
    return with_value(options, b"include_usage", b"true") if options.startswith(b"{") else b'{"include_usage":true}'
