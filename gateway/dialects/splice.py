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
MAX_TOKENS_FIELDS = ("max_completion_tokens", "max_tokens")
OURS = (b"model", b"stream_options", b"models", b"steelyard")  # the last two are for us, no provider sees them


def upstream_body(
    prompt: Prompt,
    upstream_model: str,
    *,
    stream_usage: bool = True,
    drop_fields: tuple[str, ...] = (),
    max_tokens_field: str = "",
) -> bytes:
    """The caller's body with another `model`, usage asked for in streams, without what the provider must not see.

    stream_usage: the provider takes `stream_options.include_usage`. max_tokens_field: the only name by which it takes
    the limit that OpenAI calls `max_completion_tokens`, formerly `max_tokens`; "" when it takes both. Of a duplicate
    member every occurrence is edited, because readers differ in which one they believe.
    """
    body = prompt.body
    model = msgspec.json.encode(upstream_model)
    keys = edited_keys(drop_fields, max_tokens_field)
    renamed = len(keys) - 1 if max_tokens_field else -1
    spans = top_level_spans(body, keys)
    asks_usage = prompt.stream and stream_usage
    drops_options = prompt.stream and not stream_usage
    removed: list[Span] = []
    cuts: list[Cut] = []
    added = b"" if any(key == MODEL for key, *_ in spans) else b'"model":' + model
    if asks_usage and not any(key == STREAM_OPTIONS for key, *_ in spans):
        added += (b"," if added else b"") + b'"stream_options":{"include_usage":true}'
    for span in spans:
        key, member, start, end, _ = span
        if key == MODEL:
            cuts.append((start, end, model))
        elif key == renamed:
            cuts.append((member, start, b'"' + max_tokens_field.encode() + b'":'))
        elif key > STREAM_OPTIONS or drops_options:
            removed.append(span)
        elif asks_usage:
            cuts.append((start, end, asking_usage(body[start:end])))
    if added:
        cuts.append(first_member(body, added))
    return apply(body, cuts + removals(body, removed))


@lru_cache(maxsize=64)  # one entry per provider row that drops something
def edited_keys(drop_fields: tuple[str, ...], max_tokens_field: str) -> tuple[bytes, ...]:
    """What to look for; a key to rename comes last."""
    renamed = tuple(field for field in MAX_TOKENS_FIELDS if max_tokens_field and field != max_tokens_field)
    return OURS + tuple(field.encode() for field in (*drop_fields, *renamed))


def asking_usage(options: bytes) -> bytes:
    """The caller's stream_options, with usage asked for."""
    return with_value(options, b"include_usage", b"true") if options.startswith(b"{") else b'{"include_usage":true}'
