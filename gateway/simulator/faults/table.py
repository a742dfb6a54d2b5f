"""The table of faults: id, what the provider does, the parameters with their defaults, the function that does it.

`docs/simulator.md` is made from it. F01-F03 befall a listening port, so only a script can bring them (see `script`);
F04 is asking for https:// at a simulator's port; F02 is a base URL at `NOWHERE`.
"""

from collections.abc import Callable

from msgspec import Struct

from gateway.simulator.faults import body, connection, content, population, status, stream
from gateway.simulator.faults.body import without_usage
from gateway.simulator.scene import Scene, good
from gateway.simulator.spec import GOOD, Spec, SpecError, merged
from gateway.simulator.steps import End, Steps

NOWHERE = "http://steelyard-simulator.invalid/v1"  # RFC 6761: a name that never resolves

Act = Callable[[Scene], Steps]


class Fault(Struct, frozen=True):
    """One row."""

    id: str
    summary: str
    act: Act
    parameters: dict[str, str] = {}  # name -> default; milliseconds for gap and delay, seconds for ra
    document: Act | None = None  # what a request that does not stream meets, where that is something else
    document_summary: str = ""
    port: bool = False  # befalls the port: by script only

    def steps(self, scene: Scene) -> Steps:
        """The reply of a provider with this fault."""
        act = self.act if scene.chat.request.stream or self.document is None else self.document
        return act(scene)


# Every answer takes these: exactly so many tokens of text, so many tool calls.
ANSWER_PARAMETERS: dict[str, str] = {"tokens": "", "calls": ""}


def _row(
    fault: str,
    summary: str,
    act: Act,
    document: Act | None = None,
    document_summary: str = "",
    **defaults: float | str,
) -> Fault:
    return Fault(fault, summary, act, {key: str(value) for key, value in defaults.items()}, document, document_summary)


def _status(fault: str, summary: str, reply: Callable[[Scene], status.Reply], **defaults: float | str) -> Fault:
    return _row(fault, summary, status.said(reply), None, "", **defaults)


def _cut(
    fault: str, summary: str, ending: stream.Ending, document: Act, document_summary: str, **more: float | str
) -> Fault:
    return _row(fault, summary, stream.cut_after(ending), document, document_summary, after=5, **more)


def _port(fault: str, summary: str) -> Fault:
    return Fault(fault, summary, connection.reset, port=True)


_ROWS = (
    Fault(GOOD, "a good answer, of a stated length if you like", good),
    _port("F01", "nothing listens on the port, and open connections end"),
    _port("F03", "the port's backlog is full: SYNs are dropped"),
    _row("F06", "RST without reading (by header or name: after reading)", connection.reset),
    _row("F07", "reads the request, closes without a byte", connection.close),
    _row("F08", "reads the request, never answers", connection.silence),
    _row("F09", "a good answer, `delay` late", connection.late, delay=5000),
    _row("F10", "headers drip, one byte per `gap`", connection.dripped_head, gap=200),
    _status("F11", "429, Retry-After and OpenAI's x-ratelimit-reset-*", status.openai_rate_limit, ra=7),
    _status("F12", "429, Azure's retry-after-ms beside coarser seconds", status.azure_rate_limit, ra=7),
    _row("F13", "429, Retry-After as a date by a clock `skew` seconds fast", status.dated_rate_limit, ra=7, skew=0),
    _status("F14", "429, the wait in text and x-ratelimit-reset-tokens (Groq)", status.groq_rate_limit, ra=7),
    _status("F15", "429, Gemini's RetryInfo; v=day: a daily quota", status.gemini_rate_limit, ra=7, v="minute"),
    _status("F16", "429, Anthropic's RFC 3339 resets", status.anthropic_rate_limit, ra=7),
    _status("F17", "429 insufficient_quota; v=anthropic", status.quota_exhausted, v="openai"),
    _status("F18", "429, hostile Retry-After: v=text, huge, neg, nan, zero, many", status.hostile_wait, v="text"),
    _status("F19", "402 insufficient credits", status.no_credits),
    _status("F20", "400 that is really billing", status.billing_as_400),
    _status("F21", "401 that repeats the key; v=quiet: does not", status.bad_key, v="echo"),
    _status("F22", "403 permission; v=region", status.forbidden, v="permission"),
    _status("F23", "404 model gone", status.model_gone),
    _status("F24", "408", status.request_timeout),
    _status("F25", "413", status.too_large),
    _status("F26", "400 the caller's fault; v=422", status.callers_fault, v="400"),
    _status(
        "F27",
        "400 context too long: v=openai, anthropic, gemini, sglang, llamacpp, copilot",
        status.context_too_long,
        v="",
    ),
    _status("F28", "400 content filter", status.filtered_prompt),
    _status("F29", "500", status.server_error),
    _status("F30", "502 with a page of HTML", status.html_bad_gateway),
    _status("F31", "503 with Retry-After", status.unavailable, ra=7),
    _status("F32", "504", status.gateway_timeout),
    _status("F33", "529 overloaded_error", status.overloaded),
    _row("F34", "200 whose body is an error", body.error_as_200),
    _row("F35", "200, HTML", body.html),
    _row("F36", "200, empty", body.empty),
    _row("F37", "200, JSON cut short of its content-length", body.short_of_length),
    _row("F38", "200, invalid JSON of full length", body.invalid_json),
    _row("F39", "200 without an answer: v=nochoices, null, nousage", body.hollow, v="nochoices"),
    _row("F40", "200, a gzip document: v=ok, corrupt, lie", body.gzipped, v="ok"),
    _row("F41", "`mb` MiB of zeros in gzip", body.bomb, mb=512),
    _row("F42", "a document of `mb` MiB without a length", body.endless, mb=256),
    _row("F43", "JSON nested `n` thousand deep", body.deep, n=100),
    _row("F44", "307 to another host; v=meta: 169.254.169.254", body.redirect, v="host"),
    _row("F45", "a good document under hostile headers; v=big: 64 KiB more", connection.hostile_headers, v="forged"),
    _row("F46", "malformed HTTP: v=status, cl_te, cl2, badchunk", connection.malformed, v="status"),
    _row("F47", "100 Continue and 103 Early Hints, then a good answer", connection.informed),
    _row(
        "F48",
        "a good answer, then the kept-alive connection closes; v=next: on the next request",
        connection.stale,
        v="now",
    ),
    _row("F49", "a chunked document, one byte per `gap`", body.dripped_body, gap=1000),
    _row(
        "F50",
        "an error event before any content; v=done: then the stream's ending",
        stream.error_first,
        body.error_as_200,
        "as F34",
        v="bare",
    ),
    _cut(
        "F51",
        "an error event after `after` tokens; v=done: then the stream's ending",
        stream.error_event,
        good,
        "good",
        v="bare",
    ),
    _cut("F52", "a clean end after `after` tokens: no finish, no ending", stream.clean_end, good, "good"),
    _cut("F53", "FIN after `after` tokens", stream.fin, stream.half_document(End.CUT), "half a document, FIN"),
    _cut("F54", "RST after `after` tokens", stream.rst, stream.half_document(End.RESET), "half a document, RST"),
    _cut("F55", "FIN in the middle of an event", stream.half_event, stream.half_document(End.CUT), "as F53"),
    _cut(
        "F56", "a stall after `after` tokens", stream.stall, stream.half_document(End.HOLD), "half a document, silence"
    ),
    _row(
        "F57",
        "200 and headers, then silence",
        stream.headers_only,
        stream.headers_only_document,
        "the same",
    ),
    _row(
        "F58",
        "pings for ever, one per `gap`, after `after` tokens",
        stream.cut_after(stream.pings),
        stream.blank_lines_document,
        "blank lines for ever",
        after=0,
        gap=500,
    ),
    _cut("F59", "one malformed event after `after` tokens, then goes on", stream.malformed_event, good, "good"),
    _row("F60", "the finish, but no ending", stream.no_done, good, "good"),
    _row("F61", "a good answer that says no usage", without_usage),
    _row(
        "F62",
        "finish and usage twice, a token after the finish, bytes after the ending",
        stream.duplicates,
        good,
        "good",
    ),
    _row("F63", "legal: one byte per write", body.byte_by_byte),
    _row(
        "F64",
        "legal SSE oddities: BOM, CRLF, CR, no space, comments, id, retry, several data lines",
        stream.oddities,
        good,
        "good",
    ),
    _cut("F65", "one event of `mb` MiB", stream.huge_event, body.endless, "as F42", mb=64),
    _cut("F66", "a line that never ends", stream.endless_line, stream.half_document(End.HOLD), "as F56"),
    _row("F67", "SSE in gzip", body.packed_stream, None, "a document in gzip"),
    _row("F68", "SSE under content-type text/plain", body.as_text, None, "the document as text/plain"),
    _row("F69", "one JSON document for a stream", body.not_streamed, good, "good"),
    _cut("F70", "a bare JSON error after `after` tokens", stream.json_tail, body.error_as_200, "as F34"),
    _row("F71", "finish_reason content_filter", content.filtered),
    _row(
        "F72",
        "a firehose of `n` tokens",
        stream.firehose,
        content.long_document,
        "a document of `n` tokens",
        n=200000,
    ),
    _row(
        "F73",
        "slow but alive: one token per `gap`",
        stream.slow,
        stream.slow_document,
        "the document, `gap` per token late",
        gap=1000,
    ),
    _row("F74", "the ending, then the connection is held open", stream.held_open, good, "good"),
    _row("F75", "a tool call whose arguments are cut", content.broken_call, calls=1),
    _row("F76", "absurd usage: v=neg, huge, float, str, less", content.absurd_usage, v="neg"),
    _row("F77", "hostile strings as model, id and text", content.hostile_strings),
    _row("F78", "echo: the request's headers and body as the answer's text", content.echo),
    _row("F80", "a share `pr` of requests fails with status `v`", population.by_chance, pr=0.3, v=500, ra=7),
    _row("F81", "the first `k` calls of each key fail with status `v`", population.first_calls, k=3, v=503, ra=7),
    _row("F82", "status `v` above `c` open requests", population.over_capacity, c=50, v=529, ra=7),
    _row("F83", "`gap` later for every `c` open requests", population.slower_under_load, gap=100, c=10),
    _row("F84", "a share `pr` of requests takes `delay` longer", population.long_tail, pr=0.02, delay=10000),
)

FAULTS: dict[str, Fault] = {row.id: row for row in _ROWS}


def resolved(spec: Spec) -> tuple[Fault, dict[str, str]]:
    """The fault that `spec` names with all of its parameters, or a `SpecError`."""
    fault = FAULTS.get(spec.fault)
    if fault is None:
        raise SpecError(f"no fault {spec.fault!r}; there are {', '.join(FAULTS)}")
    return fault, merged({**ANSWER_PARAMETERS, **fault.parameters}, spec)
