"""One candidate of an answer to Deltas."""

from collections.abc import Iterator

import msgspec

from gateway.dialects.gemini.citations import read_citations, read_grounding
from gateway.dialects.gemini.finishes import failure_in, reason_of
from gateway.dialects.gemini.logprobs import read_logprobs
from gateway.dialects.gemini.media import DIALECT
from gateway.dialects.gemini.names import encoded
from gateway.dialects.gemini.schema import NOTHING, Blob, Candidate, FunctionCall, Part
from gateway.dialects.gemini.signatures import unwrapped
from gateway.wire.delta import (
    CallArguments,
    CallBegan,
    CitationDelta,
    Delta,
    Finish,
    MediaDelta,
    OpaqueDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
)


class ChoiceReader:
    """Takes what each chunk says of one choice. failure: its finish reason stands for an error."""

    def __init__(self, index: int, call_prefix: str, finish: str = "") -> None:
        self.failure: bytes | None = None
        self._index = index
        self._call_prefix = call_prefix if index == 0 else f"{call_prefix}_{index}"
        self._finish = finish
        self._call_ids: set[str] = set()
        self._texts: list[str] = []
        self._cited: set[tuple[object, ...]] = set()

    def take(self, candidate: Candidate) -> list[Delta]:
        """What it says, in order."""
        deltas: list[Delta] = []
        for part in (candidate.content.parts or ()) if candidate.content else ():
            deltas += self._read(part)
        logprobs = read_logprobs(candidate.logprobs_result)
        if logprobs is not None:
            deltas.append(TextDelta("", self._index, logprobs))
        deltas += self._citations(candidate)
        if candidate.finish_reason:
            self._finish = candidate.finish_reason
            self.failure = failure_in(candidate.finish_reason, candidate.finish_message or "")
        return deltas

    def end(self, is_whole: bool) -> Finish | None:
        """None while it has not ended."""
        if not self._finish and not is_whole:
            return None
        return Finish(reason_of(self._finish or "STOP", bool(self._call_ids)), self._index)

    def _read(self, part: Part) -> Iterator[Delta]:
        if part.function_call is not None:
            yield from self._call(part.function_call, part.thought_signature)
            return
        if part.text:
            if part.thought:
                yield ThoughtDelta(part.text, self._index)
            else:
                self._texts.append(part.text)
                yield TextDelta(part.text, self._index)
        elif part.inline_data is not None and not part.thought:
            yield from self._media(part.inline_data)
        else:
            yield from self._opaque(part)
        seal = unwrapped(part.thought_signature)
        if seal.maker:
            yield ThoughtSealed(seal.signature, seal.hidden, seal.maker, seal.id, self._index)

    def _call(self, call: FunctionCall, signature: str | None) -> Iterator[Delta]:
        """It arrives whole. Older models give it no id; some give two the same."""
        if not call.name:
            return
        number = len(self._call_ids)
        call_id = call.id if call.id and call.id not in self._call_ids else f"{self._call_prefix}_{number}"
        self._call_ids.add(call_id)
        seal = unwrapped(signature)
        yield CallBegan(number, call_id, call.name, self._index, signature=seal.signature, origin=seal.maker)
        if bytes(call.args) not in NOTHING:
            yield CallArguments(number, compact(bytes(call.args)), self._index)

    def _media(self, blob: Blob) -> Iterator[Delta]:
        media_type = blob.mime_type or "image/png"
        kind = "audio" if media_type.startswith("audio/") else "image"
        if blob.data:
            yield MediaDelta(media_type, blob.data, "audio" if kind == "audio" else "image", self._index)

    def _opaque(self, part: Part) -> Iterator[Delta]:
        """Google ran code of its own."""
        for name, raw in (
            ("executableCode", part.executable_code),
            ("codeExecutionResult", part.code_execution_result),
        ):
            if bytes(raw) not in NOTHING:
                yield OpaqueDelta(DIALECT, encoded({name: raw}), name, self._index)

    def _citations(self, candidate: Candidate) -> Iterator[Delta]:
        """Each once: the lists grow from chunk to chunk."""
        if not candidate.grounding_metadata and not candidate.citation_metadata:
            return
        text = "".join(self._texts)
        for read, raw in (
            (read_grounding, candidate.grounding_metadata),
            (read_citations, candidate.citation_metadata),
        ):
            for citation in read(raw, text):
                seen = (citation.url, citation.quote, citation.start, citation.end)
                if seen not in self._cited:
                    self._cited.add(seen)
                    yield CitationDelta(citation, self._index)


def compact(arguments: bytes) -> str:
    """On one line: whole answers are printed for people."""
    return (msgspec.json.format(arguments, indent=-1) if b"\n" in arguments else arguments).decode()
