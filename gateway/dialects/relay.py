"""A provider's stream on its way to a caller who speaks the same dialect: frames go out as they came in.

Only usage, finish and errors are read. What ends an answer is held back in a `Tail`, so that however a provider ends,
the caller sees exactly one finish per choice, one usage if asked for, and one [DONE].
"""

import re

import msgspec

from core.scan import HUGE, MORE, ODD, READ, Malformed, scan_frames, top_level_spans
from gateway.dialects.answer import (
    ENDED_IN_ERROR,
    answer_as_stream,
    as_events,
    content_bytes,
    ended_without_content,
    is_something,
    read_answer,
    read_usage,
    stray_error,
    tokens_of_bytes,
)
from gateway.dialects.edits import Span, apply, removals, with_value, without
from gateway.dialects.tail import Tail
from gateway.framing.sse import MAX_STRAY_BYTES, SseParser
from gateway.wire.delta import Usage
from gateway.wire.openai_chat import ChoicesOnly, Chunk, ChunkChoice
from gateway.wire.partial import Partial

# An escape that is half of a character: JSON allows it, and nobody can decode it.
HALF_A_CHARACTER = re.compile(
    rb"(?<!\\)((?:\\\\)*)"  # behind an even number of backslashes
    rb"(?:\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
WHOLE_CHARACTER = rb"\1\\ufffd"
MAX_EVENT_BYTES = 8 * 2**20
HEAD, BLANK = len(b"data: "), len(b"\n\n")
CHOICES, USAGE = range(2)
READ_KEYS = (b"choices", b"usage")

CHUNK = msgspec.json.Decoder(Chunk)
CHOICES_ONLY = msgspec.json.Decoder(ChoicesOnly)
CHOICE = msgspec.json.Decoder(ChunkChoice)

Choices = list[tuple[bytes, ChunkChoice]]  # as it came, and as it is read


class StreamRelay:
    """One stream, sans I/O: `feed` every chunk, `end` at the end of the connection, then `closing` or `cut`.

    started: real content has been seen; a role or an empty delta is none.
    finish: the reason of the first choice, "" until it came.
    usage: the provider's count, the last one wins.
    error: the provider's error object; nothing behind it is forwarded.
    done: [DONE] has been seen; everything behind it is ignored.
    malformed: an event was no JSON of this dialect; it was dropped.
    oversized: an event was longer than `max_event_bytes`; nothing more is forwarded.
    """

    def __init__(self, wants_usage: bool, max_event_bytes: int = MAX_EVENT_BYTES, choices: int = 1) -> None:
        self.started = False
        self.finish = ""
        self.usage: Usage | None = None
        self.error: bytes | None = None
        self.done = False
        self.malformed = False
        self.oversized = False
        self._limit = max_event_bytes
        self._has_several = choices > 1
        self._begun: set[int] = set()  # indexes of choices, where there may be several
        self._over = False
        self._pending = bytearray()  # the beginning of a plain frame
        self._parser = SseParser()  # holds the beginning of any other frame
        self._tail = Tail(wants_usage)
        self._late = b""  # content that only the end of the connection completed
        self._content_frames = 0
        self._content_bytes = 0

    @property
    def complete(self) -> bool:
        """Whether the answer is whole: every choice has finished and nothing went wrong."""
        finished = self._tail.finishes.keys()
        return bool(finished) and self._begun <= finished and self.error is None and not self.oversized

    @property
    def empty(self) -> bool:
        """Whether the answer finished well without any content, which no model means to do."""
        return self.complete and not self.started and ended_without_content(self.finish, self.usage)

    @property
    def output_tokens_estimate(self) -> int:
        """Our own count: a token per frame at least, a token per four bytes otherwise."""
        return max(self._content_frames, tokens_of_bytes(self._content_bytes))

    @property
    def provider_model(self) -> str:
        """The model as the provider names it; "" when it does not."""
        return self._tail.model()

    def feed(self, chunk: bytes) -> bytes:
        """What may go to the caller now: whole frames, b"" when there are none."""
        if self._over:
            return b""
        if self._parser.pending_bytes:
            return self._feed_odd(chunk)
        if not self._pending:
            return self._walk(chunk)
        self._pending += chunk
        if b"\n" not in chunk and b"\r" not in chunk:
            if len(self._pending) > self._limit:
                self._overflow()
            return b""
        whole = bytes(self._pending)
        self._pending.clear()
        return self._walk(whole)

    def feed_answer(self, body: bytes) -> bytes:
        """The same for a whole answer: some servers send one whatever was asked for."""
        facts = read_answer(body)
        if facts.error is not None:
            self._fail(facts.error)
        self.malformed = facts.malformed
        return b"" if self._over or facts.malformed else self.feed(answer_as_stream(body))

    def end(self) -> None:
        """The connection has ended. A last frame that lacks its empty line counts if its JSON is whole."""
        if self._over:
            return
        was_malformed = self.malformed
        if self._pending:
            self._late = self._walk(bytes(self._pending) + b"\n\n")
        else:
            answer = self._stray_text()
            self._late = self._feed_odd(b"\n\n")
            if not self.started and not self._over and answer and not read_answer(answer).malformed:
                self._late = self._walk(answer_as_stream(answer))
        self.malformed = was_malformed
        self._over = True

    def closing(self, metadata: bytes | None, billed: Usage | None = None) -> bytes:
        """The frames that were held back and [DONE]; `metadata` becomes a member of the last chunk.

        billed: the usage that the caller pays; told instead of the provider's when it is our own estimate.
        """
        return self._late + self._tail.closing(metadata, billed)

    def cut(
        self,
        message: str,
        code: int | str,
        error_type: str,
        metadata: bytes | None,
        partial: Partial | None = None,
    ) -> bytes:
        """The last chunk of an answer that broke off: `error` and `finish_reason: "error"`, and no [DONE]."""
        return self._tail.cut(message, code, error_type, metadata, partial)

    def _walk(self, buffer: bytes) -> bytes:
        """Everything forwardable in a buffer that begins with a frame; what is left of it is kept."""
        ready: list[bytes] = []
        place = 0
        while not self._over:
            end, after, verdict, content_frames, size = scan_frames(buffer, place, self._limit)
            if end > place:
                self._note_ordinary(buffer, place, end)
                self._note_content(content_frames, size)
                ready.append(buffer[place:end])
            place = after
            if verdict == READ:
                ready.append(self._read(buffer[end + HEAD : after - BLANK]))
                continue
            if verdict == MORE:
                self._pending += buffer[end:]
            elif verdict == ODD:
                ready.append(self._feed_odd(buffer[end:]))
            elif verdict == HUGE:
                self._overflow()
            break
        return b"".join(ready)

    def _feed_odd(self, chunk: bytes) -> bytes:
        """Legal frames of another shape than `data: …`: rewritten to that shape. Comments are swallowed."""
        ready: list[bytes] = []
        for event in self._parser.feed(chunk):
            if self._over:
                break
            if event.name == b"error":
                self._fail(stray_error(event.data) or message_of(event.data))
            else:
                ready.append(self._walk(as_events([event.data])))
        if self._parser.pending_bytes > self._limit:
            self._overflow()
        if not self._over and self._parser.pending_bytes <= MAX_STRAY_BYTES:
            text = self._stray_text()
            error = stray_error(text) if text else None
            if error is not None:
                self._fail(error)
        return b"".join(ready)

    def _stray_text(self) -> bytes:
        """Bare JSON in the place of an event, as far as it has come; b"" when there is none."""
        text = self._parser.stray + self._parser.unfinished_line
        if text.lstrip().startswith((b"{", b"[")):
            return text
        self._parser.stray = b""
        return b""

    def _read(self, payload: bytes) -> bytes:
        """One event that is not ordinary: what of it may go out now."""
        text = payload.strip()
        if text == b"[DONE]":
            self.done = self._over = True
        if text in (b"", b"[DONE]"):
            return b""
        try:
            spans = top_level_spans(payload, READ_KEYS)
            chunk = CHUNK.decode(payload)
            choices = [(bytes(raw), CHOICE.decode(raw)) for raw in chunk.choices or ()]
        except (Malformed, msgspec.DecodeError, UnicodeDecodeError):
            mended = HALF_A_CHARACTER.sub(WHOLE_CHARACTER, payload)
            if mended != payload:
                return self._read(mended)
            error = stray_error(payload)
            self.malformed = self.malformed or error is None
        else:
            error = error_in(chunk, choices)
            if error is None:
                return self._read_chunk(payload, spans, chunk, choices)
        if error is not None:
            self._fail(error)
        return b""

    def _read_chunk(self, payload: bytes, spans: list[Span], chunk: Chunk, choices: Choices) -> bytes:
        """Hold usage and finishes. What else there is goes out; clients choke on chunks without `choices`."""
        for report in (chunk.x_groq.usage if chunk.x_groq else b"", chunk.usage):
            usage = read_usage(report)
            if usage is not None:
                self.usage = usage
                self._tail.hold_usage(bytes(report), payload if chunk.choices == [] else b"")
        if choices:
            return self._read_choices(payload, spans, choices)
        error = stray_error(payload) if chunk.choices is None else None
        if error is not None:
            self._fail(error)
        is_forwarded = chunk.choices == [] and not is_something(chunk.usage) and not self._tail.finishes
        return as_events([payload]) if is_forwarded else b""

    def _read_choices(self, payload: bytes, spans: list[Span], choices: Choices) -> bytes:
        """Hold the finish of each choice that ends here; its content, and the other choices, go out at once."""
        self._tail.sample = self._tail.sample or payload
        going: list[bytes] = []
        size = 0
        for number, (text, choice) in enumerate(choices):
            index = number if choice.index is None else choice.index
            own_size = content_bytes(choice.delta or {})
            size += own_size
            self._note_choice(index)
            if not choice.finish_reason:
                going.append(text)
                continue
            if index == 0 or not self.finish:
                self.finish = choice.finish_reason
            if own_size:
                going.append(with_value(text, b"finish_reason", b"null"))
            self._tail.finishes[index] = with_choices(payload, spans, [finish_only(text, choice, own_size > 0)])
        self._note_content(int(size > 0), size)
        says_nothing_more = size == 0 and bool(self._tail.finishes) and not self._has_several
        return as_events([with_choices(payload, spans, going)]) if going and not says_nothing_more else b""

    def _note_ordinary(self, buffer: bytes, start: int, end: int) -> None:
        """Remember who speaks and, where there may be several, which choices have begun."""
        if not self._tail.sample:
            self._tail.sample = buffer[start + HEAD : buffer.index(b"\n", start)]
        if self._has_several:
            for frame in buffer[start:end].split(b"\n\n")[:-1]:
                for number, raw in enumerate(choices_in(frame[HEAD:])):
                    self._note_choice(index_of(raw, number))

    def _note_choice(self, index: int) -> None:
        if self._has_several:
            self._begun.add(index)

    def _note_content(self, frames: int, size: int) -> None:
        self.started = self.started or frames > 0
        self._content_frames += frames
        self._content_bytes += size

    def _fail(self, error: bytes) -> None:
        self.error = error
        self._over = True

    def _overflow(self) -> None:
        self.oversized = self._over = True
        self._pending.clear()
        self._parser = SseParser()


def error_in(chunk: Chunk, choices: Choices) -> bytes | None:
    """The error object that a chunk carries, in any of its places."""
    for error in (chunk.error, chunk.x_groq.error if chunk.x_groq else b"", *(choice.error for _, choice in choices)):
        if is_something(error):
            return bytes(error)
    return ENDED_IN_ERROR if any(choice.finish_reason == "error" for _, choice in choices) else None


def choices_in(payload: bytes) -> list[msgspec.Raw]:
    """Those of an ordinary chunk, whatever is odd about what else it says."""
    try:
        return CHOICES_ONLY.decode(payload).choices or []
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


def index_of(raw: msgspec.Raw, number: int) -> int:
    """The index that a choice states, its place in the array when it states none."""
    try:
        index = CHOICE.decode(raw).index
    except (msgspec.DecodeError, UnicodeDecodeError):
        return number
    return number if index is None else index


def message_of(text: bytes) -> bytes:
    """Words where an error object should be."""
    return msgspec.json.encode({"message": text.decode("utf-8", "replace")})


def finish_only(text: bytes, choice: ChunkChoice, had_content: bool) -> bytes:
    """The choice with nothing but its finish left to say, and with the delta that clients insist on."""
    if had_content:
        text = without(text, (b"logprobs",))
    return with_value(text, b"delta", b"{}") if had_content or choice.delta is None else text


def with_choices(payload: bytes, spans: list[Span], choices: list[bytes]) -> bytes:
    """The chunk with these choices and without usage, which gets a chunk of its own."""
    array = b"[" + b",".join(choices) + b"]"
    cuts = [(start, end, array) for key, _, start, end, _ in spans if key == CHOICES]
    usage = [span for span in spans if span[0] == USAGE and is_something(payload[span[2] : span[3]])]
    return apply(payload, cuts + removals(payload, usage))
