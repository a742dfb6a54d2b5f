"""The same-dialect codec of OpenAI Chat Completions: nothing is re-encoded, bytes of both sides are spliced."""

from functools import lru_cache

import msgspec

from core.scan import top_level_spans
from gateway.dialects.answer import read_answer
from gateway.dialects.codec import AnswerFacts, Asked
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.dropped import losses_of
from gateway.dialects.edits import Cut, Span, apply, first_member, removals, with_value
from gateway.dialects.relay import StreamRelay
from gateway.wire.prompt import Prompt

MODEL, STREAM_OPTIONS = range(2)
MAX_TOKENS_FIELDS = ("max_completion_tokens", "max_tokens")
OURS = (b"model", b"stream_options", b"models", b"steelyard")  # the last two are for us, no provider sees them
OPENROUTERS = ("provider", "session_id", "usage")  # what its clients tell a router; others refuse what they don't know


class ChatSplice:
    """The codec for callers and providers who both speak it."""

    def request(self, asked: Asked, manner: TargetManner) -> Outgoing:
        """The caller's own body, edited."""
        return upstream_body(asked.prompt, manner)

    def relay(self, asked: Asked, model: str) -> StreamRelay:
        """For a stream."""
        return StreamRelay(asked.prompt.wants_usage, choices=asked.prompt.choices)

    def answer(self, body: bytes, asked: Asked, model: str) -> tuple[AnswerFacts, bytes]:
        """The provider's own body."""
        return read_answer(body), body


def upstream_body(prompt: Prompt, manner: TargetManner) -> Outgoing:
    """The caller's body with another `model`, usage asked for in streams, without what the provider must not see.

    Of a duplicate member every occurrence is edited, because readers differ in which one they believe.
    """
    body = prompt.body
    model = msgspec.json.encode(manner.model)
    keys = edited_keys(manner.drop_fields, manner.max_tokens_field, manner.extensions)
    renamed = len(keys) - 1 if manner.max_tokens_field else -1
    spans = top_level_spans(body, keys)
    asks_usage = prompt.stream and manner.stream_usage
    drops_options = prompt.stream and not manner.stream_usage
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
            cuts.append((member, start, b'"' + manner.max_tokens_field.encode() + b'":'))
        elif key > STREAM_OPTIONS or drops_options:
            removed.append(span)
        elif asks_usage:
            cuts.append((start, end, asking_usage(body[start:end])))
    if added:
        cuts.append(first_member(body, added))
    named = ((keys[span[0]].decode(), span) for span in removed)
    lost = losses_of(body, ((name, span) for name, span in named if name in manner.drop_fields))
    return Outgoing(apply(body, cuts + removals(body, removed)), tuple(lost))


@lru_cache(maxsize=64)  # one entry per provider row that drops or takes something
def edited_keys(drop_fields: tuple[str, ...], max_tokens_field: str, extensions: tuple[str, ...]) -> tuple[bytes, ...]:
    """What to look for; a key to rename comes last."""
    strange = (field for field in OPENROUTERS if field not in extensions)
    renamed = (field for field in MAX_TOKENS_FIELDS if max_tokens_field and field != max_tokens_field)
    return OURS + tuple(field.encode() for field in (*strange, *drop_fields, *renamed))


def asking_usage(options: bytes) -> bytes:
    """The caller's stream_options, with usage asked for."""
    return with_value(options, b"include_usage", b"true") if options.startswith(b"{") else b'{"include_usage":true}'
