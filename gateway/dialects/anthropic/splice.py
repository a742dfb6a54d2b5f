"""Callers and providers who both speak it: nothing is re-encoded, bytes of both sides are spliced."""

from functools import lru_cache

import msgspec

from core.scan import Malformed, top_level_spans
from gateway.dialects.answer import ended_without_content, stray_error, tokens_of_bytes
from gateway.dialects.anthropic.events import MESSAGE, UsageMember
from gateway.dialects.anthropic.fit import fits, points_elsewhere
from gateway.dialects.anthropic.hosts import ANTHROPIC, Host
from gateway.dialects.anthropic.names import finish_of
from gateway.dialects.anthropic.relay import StreamRelay
from gateway.dialects.anthropic.schema import KIND, is_absent
from gateway.dialects.anthropic.usage import RunningUsage
from gateway.dialects.anthropic.write_request import write_request
from gateway.dialects.codec import AnswerFacts, Asked
from gateway.dialects.contract import Outgoing, TargetManner
from gateway.dialects.dropped import losses_of
from gateway.dialects.edits import Cut, Span, apply, first_member, removals
from gateway.wire.prompt import Prompt

MODEL, STREAM, VERSION, BETA = range(4)
FOR_US = (b"models", b"steelyard", b"provider", b"session_id")  # no provider sees them
OURS = (b"model", b"stream", b"anthropic_version", b"anthropic_beta", *FOR_US)


class MessagesSplice:
    """A Codec, see `dialects.codec`. host: where Claude runs, when it is not at Anthropic."""

    def __init__(self, host: Host = ANTHROPIC) -> None:
        self._host = host

    def request(self, asked: Asked, manner: TargetManner) -> Outgoing:
        """The caller's own body, edited; or the same request written anew where the model would refuse it."""
        if fits(asked.prompt, manner) and (self._host.fetches or not points_elsewhere(asked.prompt.body)):
            return upstream_body(asked.prompt, manner, self._host)
        return write_request(asked.conversation, manner, self._host)

    def relay(self, asked: Asked, model: str) -> StreamRelay:
        """For a stream."""
        return StreamRelay()

    def answer(self, body: bytes, asked: Asked, model: str) -> tuple[AnswerFacts, bytes]:
        """The provider's own body."""
        return read_facts(body), body


def upstream_body(prompt: Prompt, manner: TargetManner, host: Host = ANTHROPIC) -> Outgoing:
    """The caller's body with another `model`, without what the provider must not see, and with what its host asks for.

    Of a duplicate member every occurrence is edited, because readers differ in which one they believe.
    """
    body = prompt.body
    keys = edited_keys(manner.drop_fields)
    spans = top_level_spans(body, keys)
    betas = host.taken(name.strip() for name in manner.beta.split(",") if name.strip())
    ours = members_of(manner.model, betas, host)
    removed: list[Span] = []
    cuts: list[Cut] = []
    added = [b'"' + OURS[key] + b'":' + value for key, value in ours.items() if key not in {span[0] for span in spans}]
    for span in spans:
        key, _, start, end, _ = span
        if key in ours:
            cuts.append((start, end, ours[key]))
        elif key != STREAM or not host.has_stream:
            removed.append(span)
    if added:
        cuts.append(first_member(body, b",".join(added)))
    lost = tuple(losses_of(body, ((keys[span[0]].decode(), span) for span in removed if span[0] >= len(OURS))))
    headers = (("anthropic-beta", ",".join(betas)),) if betas and not host.betas_in_body else ()
    return Outgoing(apply(body, cuts + removals(body, removed)), lost, headers)


@lru_cache(maxsize=64)  # one entry per provider row that drops something
def edited_keys(drop_fields: tuple[str, ...]) -> tuple[bytes, ...]:
    return OURS + tuple(field.encode() for field in drop_fields)


def members_of(model: str, betas: list[str], host: Host) -> dict[int, bytes]:
    """The members that this host has to get, by their keys."""
    members: dict[int, bytes] = {}
    if host.has_model:
        members[MODEL] = msgspec.json.encode(model)
    if host.version is not None:
        members[VERSION] = msgspec.json.encode(host.version)
    if host.betas_in_body and betas:
        members[BETA] = msgspec.json.encode(betas)
    return members


def read_facts(body: bytes) -> AnswerFacts:
    """What a whole answer says about itself; its texts are not decoded."""
    try:
        top_level_spans(body, ())  # stricter than the decoder about what it skips: depth, UTF-8
        message = MESSAGE.decode(body)
        content = message.content or []
        kinds = [KIND.decode(raw).type for raw in content]
    except (Malformed, msgspec.DecodeError, UnicodeDecodeError):
        message, content, kinds = None, [], []
    if message is None or message.content is None or message.type == "error" or not is_absent(message.error):
        error = stray_error(body)
        return AnswerFacts(malformed=True) if error is None else AnswerFacts(error=error)
    usage = RunningUsage().take(message.usage or UsageMember()) if message.usage else None
    finish = finish_of(message.stop_reason or "end_turn", "tool_use" in kinds)
    return AnswerFacts(
        usage=usage,
        finish=finish,
        empty=not content and ended_without_content(finish, usage),
        model=message.model or "",
        output_tokens_estimate=tokens_of_bytes(sum(map(len, map(bytes, content)))),
    )
