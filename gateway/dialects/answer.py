"""A provider's whole answer: what it says about itself, and the same answer as a stream."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Raw

from core.scan import Malformed, top_level_spans
from gateway.dialects.codec import AnswerFacts
from gateway.wire.delta import Usage
from gateway.wire.openai_chat import Answer, UsageReport

BYTES_PER_TOKEN = 4  # of English text, OpenAI's rule of thumb; an estimate only where no provider counted
ENDED_IN_ERROR = b'{"message":"the provider ended its answer with finish_reason error"}'
NOTHING = (b"", b"null", b'""', b"[]", b"{}", b"false")
# Claude ends its turn without a word at times, in two or three tokens. Whoever counts more has lost what they were.
# Source: platform.claude.com, "Handling stop reasons", "Empty responses with end_turn", read 2026-11-23.
WORDLESS_TOKENS = 8
ENDS_WITHOUT_CONTENT = ("", "stop", "tool_calls", "function_call")  # reasons that promise something to show

ANSWER = msgspec.json.Decoder(Answer)
MEMBERS = msgspec.json.Decoder(dict[str, Raw])
MEMBER_LIST = msgspec.json.Decoder(list[dict[str, Raw]])
USAGE = msgspec.json.Decoder(UsageReport)


def odds_of(tokens: list[Raw] | None) -> Raw | None:
    """Log probabilities as Deltas carry them; None without any, and where their bytes are no text."""
    if not tokens:
        return None
    odds = msgspec.json.encode({"content": tokens})
    return Raw(odds) if is_utf8(odds) else None  # no decoder has looked inside


def read_answer(body: bytes) -> AnswerFacts:
    """Read the facts of a whole answer; its texts are not decoded."""
    try:
        top_level_spans(body, ())  # stricter than the decoder about what it skips: depth, UTF-8
        answer = ANSWER.decode(body)
    except (Malformed, msgspec.DecodeError, UnicodeDecodeError):
        return facts_of_stray(body)
    error = first_error(answer)
    if error is not None:
        return AnswerFacts(error=error)
    if not answer.choices:
        return facts_of_stray(body)
    usage = read_usage(answer.usage)
    messages = [choice.message or {} for choice in answer.choices]
    content = sum(map(content_bytes, messages))
    finish = answer.choices[0].finish_reason or ""
    return AnswerFacts(
        usage=usage,
        finish=finish,
        empty=content == 0 and ended_without_content(finish, None if all(map(lacks_text, messages)) else usage),
        model=answer.model or "",
        output_tokens_estimate=tokens_of_bytes(content),
    )


def lacks_text(message: Mapping[str, Raw]) -> bool:
    """A message without even an empty text is no answer, whatever was spent on it."""
    return bytes(message.get("content", b"")) in (b"", b"null")


def first_error(answer: Answer) -> bytes | None:
    """The error object that an answer carries, on top or in a choice."""
    for error in (answer.error, *(choice.error for choice in answer.choices or ())):
        if is_something(error):
            return bytes(error)
    return ENDED_IN_ERROR if any(choice.finish_reason == "error" for choice in answer.choices or ()) else None


def facts_of_stray(body: bytes) -> AnswerFacts:
    """An answer that is no chat completion: an error in another shape, or nothing that makes sense."""
    error = stray_error(body)
    return AnswerFacts(malformed=True) if error is None else AnswerFacts(error=error)


def stray_error(text: bytes) -> bytes | None:
    """The error object in a document that is no chat completion: `{"error":…}`, the same in an array, or bare."""
    try:
        if text.lstrip().startswith(b"["):
            documents = MEMBER_LIST.decode(text)
            document = documents[0] if documents else {}
        else:
            document = MEMBERS.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    error = document.get("error")
    if error is not None and is_something(error):
        return bytes(error)
    names_a_fault = "code" in document or "type" in document or bytes(document.get("object", b"")) == b'"error"'
    has_text = bytes(document.get("message", b"")).startswith(b'"')
    return msgspec.json.encode(document) if has_text and names_a_fault else None


def ended_without_content(finish: str, usage: Usage | None) -> bool:
    """Whether an end without content is a fault: the model stopped by itself, and neither thought nor was brief."""
    if finish not in ENDS_WITHOUT_CONTENT:
        return False
    return usage is None or not (usage.reasoning_tokens or 0 < usage.output_tokens <= WORDLESS_TOKENS)


def read_usage(raw: Raw | bytes) -> Usage | None:
    """The provider's count, in any spelling of the family; None when there is none or it is no count at all."""
    if not is_something(raw):
        return None
    try:
        report = USAGE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    prompt = report.prompt_tokens or 0
    completion = report.completion_tokens or 0
    cached = report.prompt_cache_hit_tokens or report.cached_tokens or 0
    written = 0
    if report.prompt_tokens_details is not None:
        cached = report.prompt_tokens_details.cached_tokens or cached
        written = report.prompt_tokens_details.cache_write_tokens or 0
    reasoning = report.completion_tokens_details.reasoning_tokens if report.completion_tokens_details else None
    # xAI and Gemini count thinking in the total but not in completion_tokens; both bill it as output.
    hidden = report.total_tokens - prompt - completion if report.total_tokens and prompt >= 0 else 0
    return Usage(
        input_tokens=prompt,
        cached_tokens=cached,
        cache_write_tokens=written,
        output_tokens=completion + max(hidden, 0),
        reasoning_tokens=reasoning or 0,
    )


def is_utf8(text: bytes) -> bool:
    """Whether it is text: a decoder does not look at what it skips, and what is kept raw goes out again."""
    try:
        return text.isascii() or bool(text.decode())
    except UnicodeDecodeError:
        return False


def is_something(raw: Raw | bytes) -> bool:
    """A value that says something: present, and not null, false or empty."""
    return bytes(raw) not in NOTHING


def content_bytes(members: Mapping[str, Raw]) -> int:
    """Bytes of content in a message or delta, 0 when it has none. The largest member counts, see `core.scan`."""
    return max((content_size(bytes(raw)) for name, raw in members.items() if name != "role"), default=0)


def content_size(raw: bytes) -> int:
    if raw.startswith(b'"'):
        return len(raw) - 2
    return len(raw) if raw.startswith((b"[", b"{")) and raw[1:-1].strip() else 0


def tokens_of_bytes(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)


def bytes_of(text: str) -> int:
    """Its length in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def answer_as_stream(body: bytes) -> bytes:
    """A whole answer, one that `read_answer` finds well-formed, as the events of a stream that says the same."""
    members = MEMBERS.decode(body)
    choices = MEMBER_LIST.decode(members.pop("choices"))
    usage = members.pop("usage", b"")
    members["object"] = Raw(b'"chat.completion.chunk"')
    chunks = [members | {"choices": half} for number, choice in enumerate(choices) for half in halves(number, choice)]
    if is_something(usage):
        chunks.append(members | {"choices": Raw(b"[]"), "usage": Raw(usage)})
    return as_events([*map(msgspec.json.encode, chunks), b"[DONE]"])


def halves(number: int, choice: dict[str, Raw]) -> tuple[Raw, Raw]:
    """The `choices` of two chunks: one says everything, the other ends it. What arrived whole has ended."""
    message = choice.pop("message", b"")
    delta = MEMBERS.decode(message) if is_something(message) else {}
    if "tool_calls" in delta:
        delta["tool_calls"] = numbered(delta["tool_calls"])
    index = choice.get("index", Raw(b"%d" % number))
    finish = choice.get("finish_reason", b"")
    saying = choice | {"index": index, "delta": encoded(delta), "finish_reason": Raw(b"null")}
    ending = {"index": index, "delta": Raw(b"{}"), "finish_reason": Raw(finish if is_something(finish) else b'"stop"')}
    return encoded([saying]), encoded([ending])


def numbered(tool_calls: Raw) -> Raw:
    """The calls with the `index` that every delta of a tool call has."""
    try:
        calls = MEMBER_LIST.decode(tool_calls)
    except msgspec.DecodeError:
        return tool_calls
    return encoded([{"index": Raw(b"%d" % number), **call} for number, call in enumerate(calls)])


def encoded(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))


def as_events(payloads: Iterable[bytes]) -> bytes:
    """Each payload as one event. A payload is JSON, so a line feed in it is mere white space."""
    return b"".join(b"data: " + payload.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n" for payload in payloads)
