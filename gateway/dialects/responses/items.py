"""Items as we write them, in requests and in answers."""

from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.dialects.responses.media import MediaOut
from gateway.dialects.responses.schema import CacheBreakpoint
from gateway.wire.conversation import Citation


class InputText(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="input_text"):
    text: str
    prompt_cache_breakpoint: CacheBreakpoint | None = None


class OutputText(Struct, tag_field="type", tag="output_text"):
    text: str
    annotations: list[Raw] = []
    logprobs: list[Raw] | UnsetType = UNSET  # in answers only


class RefusalPart(Struct, tag_field="type", tag="refusal"):
    refusal: str


class SummaryText(Struct, tag_field="type", tag="summary_text"):
    text: str


class ReasoningText(Struct, tag_field="type", tag="reasoning_text"):
    text: str


InputPart = InputText | MediaOut | Raw
OutputPart = OutputText | RefusalPart | Raw


class MessageOut(Struct, tag_field="type", tag="message"):
    """A message; those of an answer have the first two members."""

    role: str
    content: str | list[InputPart] | list[OutputPart]
    id: str | UnsetType = UNSET
    status: str | UnsetType = UNSET


class ReasoningOut(Struct, tag_field="type", tag="reasoning"):
    summary: list[SummaryText]
    id: str | UnsetType = UNSET
    content: list[ReasoningText] | UnsetType = UNSET
    encrypted_content: str | UnsetType = UNSET


class FunctionCallOut(Struct, tag_field="type", tag="function_call"):
    call_id: str
    name: str
    arguments: str
    namespace: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    status: str | UnsetType = UNSET


class CustomCallOut(Struct, tag_field="type", tag="custom_tool_call"):
    call_id: str
    name: str
    input: str
    namespace: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    status: str | UnsetType = UNSET


class FunctionResultOut(Struct, tag_field="type", tag="function_call_output"):
    call_id: str
    output: str | list[InputPart]


class CustomResultOut(Struct, tag_field="type", tag="custom_tool_call_output"):
    call_id: str
    output: str | list[InputPart]


class ImageOut(Struct, tag_field="type", tag="image_generation_call"):
    id: str
    status: str
    result: str | None
    output_format: str


class UrlCitation(Struct, frozen=True, tag_field="type", tag="url_citation"):
    url: str
    title: str
    start_index: int
    end_index: int


Item = (
    MessageOut | ReasoningOut | FunctionCallOut | CustomCallOut | FunctionResultOut | CustomResultOut | ImageOut | Raw
)


def url_citation(citation: Citation, text_start: int, place: int) -> UrlCitation | None:
    """A foreign source; None without an address. text_start: characters of the answer before the text that it belongs
    to; place: characters of that text so far.
    """
    if not citation.url:
        return None
    start = place if citation.start is None else max(citation.start - text_start, 0)
    end = place if citation.end is None else max(citation.end - text_start, start)
    return UrlCitation(citation.url, citation.title, start, end)
