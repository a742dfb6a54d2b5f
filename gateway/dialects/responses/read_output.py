"""Events of an answer to Deltas, in the order in which a provider sends them.

OpenAI says everything several times: as deltas, as the `done` of a part, of an item, and in the last response. Others
send only some of these. So of each place it is noted how much has been said, and what says more tells the rest.
"""

from msgspec import Raw

from gateway.dialects.answer import odds_of
from gateway.dialects.responses.events import (
    HEAD,
    ITEM,
    READ_ITEMS,
    ContentPart,
    Event,
    ItemHead,
    OutputItem,
    ResponseMember,
)
from gateway.dialects.responses.names import CALLS_OF_THE_CALLER, DIALECT, FAMILY, finish_of
from gateway.dialects.responses.namespaces import flat_name
from gateway.dialects.responses.read_content import citation_of
from gateway.dialects.responses.reading import is_absent
from gateway.dialects.responses.thoughts import read_seal
from gateway.dialects.responses.usage import read_usage
from gateway.wire.delta import (
    Began,
    CallArguments,
    CallBegan,
    CitationDelta,
    Delta,
    Failure,
    Finish,
    MediaDelta,
    OpaqueDelta,
    RefusalDelta,
    TextDelta,
    ThoughtDelta,
    ThoughtSealed,
    UsageReport,
)

TEXT, REFUSAL, SUMMARY, THOUGHT, ARGUMENTS = range(5)  # what stands at a place of an item
Place = tuple[int, int]  # one of these, and the index of the part
PARAGRAPH = "\n\n"  # between messages, and between the parts of a summary
LATEST = 2**53
NO_ARGUMENTS = ("", "{}")
CANCELLED = b'{"code":"server_error","message":"the provider cancelled the response"}'

PLACE_OF_DELTA = {
    "response.output_text.delta": TEXT,
    "response.refusal.delta": REFUSAL,
    "response.reasoning_summary_text.delta": SUMMARY,
    "response.reasoning_text.delta": THOUGHT,
    "response.reasoning.delta": THOUGHT,  # what OpenRouter called it
    "response.function_call_arguments.delta": ARGUMENTS,
    "response.custom_tool_call_input.delta": ARGUMENTS,
}
PLACE_OF_DONE = {kind.replace(".delta", ".done"): place for kind, place in PLACE_OF_DELTA.items()}
PLACE_OF_PART = {"output_text": TEXT, "refusal": REFUSAL, "reasoning_text": THOUGHT, "summary_text": SUMMARY}


class Progress:
    """One item: what of it has been told."""

    __slots__ = ("call", "id", "is_custom", "is_over", "is_repeated", "kind", "said", "sources", "starts", "waiting")

    def __init__(self) -> None:
        self.kind = ""
        self.id: str | None = None
        self.is_repeated = False  # the last response has it
        self.call: int | None = None  # its number, once it has begun
        self.is_custom = False
        self.is_over = False
        self.said: dict[Place, int] = {}  # characters
        self.starts: dict[int, int] = {}  # characters of the answer before each text
        self.sources: dict[int, int] = {}  # citations of each text
        self.waiting: list[str] = []  # arguments of a call that has no name yet


class AnswerReader:
    """Exactly one Began, before everything; one Finish; nothing behind it."""

    def __init__(self, family: str = FAMILY) -> None:
        self.has_ended = False
        self.has_begun = False
        self._family = family
        self._items: dict[int | str, Progress] = {}  # by output_index, by id where there is none
        self._order: list[Progress] = []
        self._newest: Progress | None = None
        self._texts_from: Progress | None = None  # the message that spoke last
        self._text_length = 0
        self._call_ids: set[str] = set()
        self._waits_for_caller = False

    def read(self, event: Event) -> list[Delta]:
        """The Deltas of one event."""
        deltas: list[Delta] = []
        if self.has_ended:
            return deltas
        kind = event.type
        place = PLACE_OF_DELTA.get(kind)
        if place is not None:
            self._say(event, place, event.delta or "", deltas)
        elif kind in PLACE_OF_DONE:
            self._complete(event, PLACE_OF_DONE[kind], deltas)
        elif kind == "response.output_item.added":
            self._open(event, deltas)
        elif kind == "response.output_item.done":
            self._close(event, deltas)
        elif kind in ("response.content_part.done", "response.reasoning_summary_part.done"):
            self._complete_part(event, deltas)
        elif kind == "response.output_text.annotation.added":
            self._cite(event, deltas)
        elif event.response is not None:
            self._read_response(kind, event.response, deltas)
        return deltas

    def finish(self, deltas: list[Delta]) -> None:
        """The end of an answer that says nothing about it."""
        if self.has_begun and not self.has_ended:
            self._finish("completed", "", deltas)

    def _begin(self, response: ResponseMember, deltas: list[Delta]) -> None:
        if not self.has_begun:
            self.has_begun = True
            created = response.created_at or 0
            began = Began(response.id or "", response.model or "", int(created) if 0 < created < LATEST else 0)
            deltas.append(began)

    def _progress(self, event: Event) -> Progress:
        """The item that an event speaks of. By its place: GitHub's server gives it another id in every event."""
        key = event.output_index if event.output_index is not None else event.item_id
        progress = self._newest if key is None else self._items.get(key)
        if progress is None:
            progress = self._new(key)
        self._newest = progress
        return progress

    def _new(self, key: int | str | None) -> Progress:
        progress = Progress()
        self._order.append(progress)
        if key is not None:
            self._items[key] = progress
        return progress

    def _progress_of_item(self, event: Event, head: ItemHead, is_opening: bool) -> Progress:
        """The same for an event that brings an item. Some servers number all of them alike."""
        key = event.output_index if event.output_index is not None else head.id
        progress = self._newest if key is None else self._items.get(key)
        is_another = progress is not None and (
            (is_opening and progress.kind != "")
            or (progress.is_over and (key is None or (progress.id != head.id and head.id is not None)))
        )
        if progress is None or is_another:
            progress = self._new(key)
        progress.kind, progress.id = head.type or progress.kind, head.id or progress.id
        self._newest = progress
        return progress

    def _open(self, event: Event, deltas: list[Delta]) -> None:
        self._begin(ResponseMember(), deltas)
        if not is_absent(event.item):
            progress = self._progress_of_item(event, HEAD.decode(event.item), is_opening=True)
            if progress.kind in ("function_call", "custom_tool_call"):
                self._call(progress, ITEM.decode(event.item), deltas)

    def _close(self, event: Event, deltas: list[Delta]) -> None:
        self._begin(ResponseMember(), deltas)
        if not is_absent(event.item):
            progress = self._progress_of_item(event, HEAD.decode(event.item), is_opening=False)
            self._conclude(progress, event.item, deltas)

    def _say(self, event: Event, place: int, text: str, deltas: list[Delta]) -> None:
        self._begin(ResponseMember(), deltas)
        progress = self._progress(event)
        self._tell(progress, (place, index_of(event, place)), text, deltas, event.logprobs)

    def _complete(self, event: Event, place: int, deltas: list[Delta]) -> None:
        self._begin(ResponseMember(), deltas)
        whole = event.refusal if place == REFUSAL else event.text
        if place == ARGUMENTS:
            whole = event.arguments if event.arguments is not None else event.input
        if whole:
            self._tell_rest(self._progress(event), (place, index_of(event, place)), whole, deltas, event.logprobs)

    def _complete_part(self, event: Event, deltas: list[Delta]) -> None:
        self._begin(ResponseMember(), deltas)
        if event.part is not None:
            self._part(
                self._progress(event), event.part, index_of(event, PLACE_OF_PART.get(event.part.type, TEXT)), deltas
            )

    def _part(self, progress: Progress, part: ContentPart, index: int, deltas: list[Delta]) -> None:
        """What a part says beyond what is known of it."""
        place = PLACE_OF_PART.get(part.type)
        if place is None:
            return
        self._tell_rest(progress, (place, index), part.text or part.refusal or "", deltas, part.logprobs)
        annotations = part.annotations or []
        for raw in annotations[progress.sources.get(index, 0) :]:
            self._source(progress, index, raw, deltas)

    def _tell_rest(
        self, progress: Progress, place: Place, whole: str, deltas: list[Delta], logprobs: list[Raw] | None = None
    ) -> None:
        said = progress.said.get(place, 0)
        if len(whole) > said:
            self._tell(progress, place, whole[said:], deltas, None if said else logprobs)

    def _tell(
        self, progress: Progress, place: Place, text: str, deltas: list[Delta], logprobs: list[Raw] | None = None
    ) -> None:
        """More of a place. Of a summary and the thought itself only what came first is told: they say the same."""
        kind, index = place
        if not text or progress.is_over:
            return
        is_next = bool(progress.said) and place not in progress.said
        if kind in (SUMMARY, THOUGHT) and any(other != kind for other, _ in progress.said):
            return
        progress.said[place] = progress.said.get(place, 0) + len(text)
        if kind == TEXT:
            self._text(progress, index, text, deltas, logprobs)
        elif kind == REFUSAL:
            deltas.append(RefusalDelta(text))
        elif kind != ARGUMENTS:
            deltas.append(ThoughtDelta(PARAGRAPH + text if is_next else text))
        elif progress.call is None:
            progress.waiting.append(text)
        else:
            deltas.append(CallArguments(progress.call, text))

    def _text(self, progress: Progress, index: int, text: str, deltas: list[Delta], logprobs: list[Raw] | None) -> None:
        if self._texts_from is not progress and self._texts_from is not None:
            deltas.append(TextDelta(PARAGRAPH))
            self._text_length += len(PARAGRAPH)
        self._texts_from = progress
        progress.starts.setdefault(index, self._text_length)
        self._text_length += len(text)
        deltas.append(TextDelta(text, logprobs=odds_of(logprobs)))

    def _cite(self, event: Event, deltas: list[Delta]) -> None:
        if not is_absent(event.annotation):
            self._source(self._progress(event), index_of(event, TEXT), event.annotation, deltas)

    def _source(self, progress: Progress, index: int, raw: Raw, deltas: list[Delta]) -> None:
        """Where it is cited counts from the beginning of its own text; ours from that of the answer."""
        progress.sources[index] = progress.sources.get(index, 0) + 1
        deltas.append(CitationDelta(citation_of(raw, progress.starts.get(index, 0))))

    def _call(self, progress: Progress, item: OutputItem, deltas: list[Delta]) -> None:
        """A call begins once its name is known, with the arguments that came before it."""
        if progress.call is not None or not item.name:
            return
        progress.call = number = len(self._call_ids)
        progress.is_custom = item.type == "custom_tool_call"
        id_ = item.call_id or item.id or f"call_{number}"
        id_ = f"{id_}_{number}" if id_ in self._call_ids else id_
        self._call_ids.add(id_)
        self._waits_for_caller = True
        deltas.append(CallBegan(number, id_, flat_name(item.namespace or "", item.name), is_custom=progress.is_custom))
        if progress.waiting:
            deltas.append(CallArguments(number, "".join(progress.waiting)))

    def _conclude(self, progress: Progress, raw: Raw, deltas: list[Delta]) -> None:
        """What a whole item says beyond what is known of it."""
        if progress.is_over:
            return
        if progress.kind not in READ_ITEMS:
            self._waits_for_caller = self._waits_for_caller or progress.kind in CALLS_OF_THE_CALLER
            deltas.append(OpaqueDelta(DIALECT, raw, progress.kind))
            progress.is_over = True
            return
        item = ITEM.decode(raw)
        if progress.kind == "image_generation_call":
            if item.result:
                deltas.append(MediaDelta(f"image/{item.output_format or 'png'}", item.result))
        elif progress.kind in ("message", "reasoning"):
            for index, part in enumerate(item.summary or ()):
                self._part(progress, part, index, deltas)
            for index, part in enumerate(item.content or ()):
                self._part(progress, part, index, deltas)
            self._seal(item, deltas)
        else:
            self._call(progress, item, deltas)
            whole = (item.input if progress.is_custom else item.arguments) or ""
            if progress.said or whole not in NO_ARGUMENTS:
                self._tell_rest(progress, (ARGUMENTS, 0), whole, deltas)
        progress.is_over = True

    def _seal(self, item: OutputItem, deltas: list[Delta]) -> None:
        if item.encrypted_content:
            signature, hidden, maker = read_seal(item.encrypted_content)
            is_bare = hidden == item.encrypted_content
            if signature or hidden:
                deltas.append(ThoughtSealed(signature, hidden, self._family if is_bare else maker, item.id or ""))

    def _read_response(self, kind: str, response: ResponseMember, deltas: list[Delta]) -> None:
        self._begin(response, deltas)
        usage = read_usage(response.usage)
        if usage is not None:
            deltas.append(UsageReport(usage))
        if kind in ("response.failed", "response.cancelled"):
            self.has_ended = True
            deltas.append(Failure(CANCELLED if is_absent(response.error) else bytes(response.error)))
        elif kind in ("response.completed", "response.incomplete"):
            for raw in response.output or ():
                self._conclude(self._repeated(HEAD.decode(raw)), raw, deltas)
            details = response.incomplete_details
            self._finish(kind.rpartition(".")[2], (details.reason or "") if details else "", deltas)

    def _repeated(self, head: ItemHead) -> Progress:
        """The item of the stream that this one of the last response is: by its id, else the next of its kind."""
        left = [progress for progress in self._order if not progress.is_repeated]
        same = [progress for progress in left if progress.id is not None and progress.id == head.id]
        alike = [progress for progress in left if progress.kind in (head.type, "")]
        progress = (same or alike or [self._new(None)])[0]
        progress.is_repeated = True
        progress.kind = head.type
        return progress

    def _finish(self, status: str, reason: str, deltas: list[Delta]) -> None:
        self.has_ended = True
        deltas.append(Finish(finish_of(status, reason, self._waits_for_caller)))


def index_of(event: Event, place: int) -> int:
    """Of the part; 0 where the event does not say."""
    if place == ARGUMENTS:
        return 0
    return (event.summary_index if place == SUMMARY else event.content_index) or 0
