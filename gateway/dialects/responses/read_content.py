"""Contents of messages and results: a string, or parts."""

from msgspec import Raw

from gateway.dialects.findings import kind_of, missing, wrong_type
from gateway.dialects.responses.media import mark_of, read_media
from gateway.dialects.responses.names import DIALECT
from gateway.dialects.responses.reading import RAWS, STRING, Unsaid, decoded, is_absent, is_array, is_string
from gateway.dialects.responses.schema import ANNOTATION, KIND, PART, Annotation
from gateway.dialects.responses.schema import Part as ContentPart
from gateway.wire.conversation import Citation, Media, Opaque, Part, Refusal, Text

TEXTS = ("input_text", "output_text", "text")
MEDIA = ("input_image", "input_file", "input_audio")
NEEDED = {"input_image": "image_url", "input_file": "file_data", "input_audio": "input_audio", "refusal": "refusal"}


def read_content(content: Raw, at: str) -> list[Part]:
    """Nothing for an empty string."""
    if is_string(content):
        text = decoded(STRING, content, at)
        return [Text(text)] if text else []
    if is_array(content):
        raws = decoded(RAWS, content, at)
        return [read_part(raw, f"{at}[{number}]") for number, raw in enumerate(raws)]
    if is_absent(content):
        return []
    raise wrong_type(at, "a string or an array of parts", kind_of(content))


def read_result(output: Raw, at: str, unsaid: Unsaid) -> tuple[Text | Media, ...]:
    """What a tool gave back. Parts of other types are left out, and reported."""
    parts: list[Text | Media] = []
    for number, part in enumerate(read_content(output, at)):
        if isinstance(part, Text | Media):
            parts.append(part)
        else:
            unsaid.add(f"{at}[{number}]")
    return tuple(parts)


def read_part(raw: Raw, at: str) -> Part:
    """One part; of a type that we do not know it stays as it is."""
    kind = decoded(KIND, raw, at).type
    if kind is None:
        raise missing(f"{at}.type")
    if kind not in TEXTS and kind not in NEEDED:
        return Opaque(DIALECT, raw, kind)
    part = decoded(PART, raw, at)
    read: Part | None
    if kind in TEXTS:
        read = None if part.text is None else text_of(part)
    elif kind == "refusal":
        read = None if part.refusal is None else Refusal(part.refusal)
    else:
        read = read_media(part)
    if read is None:
        raise missing(f"{at}.{NEEDED.get(kind, 'text')}")
    return read


def text_of(part: ContentPart) -> Text:
    citations = tuple(citation_of(raw) for raw in part.annotations or ())
    return Text(part.text or "", mark_of(part.prompt_cache_breakpoint), citations)


def citation_of(raw: Raw, offset: int = 0) -> Citation:
    """offset: characters of the answer before the text that it belongs to."""
    try:
        source = ANNOTATION.decode(raw)
    except ValueError:
        source = Annotation()
    return Citation(
        DIALECT,
        raw,
        url=source.url or "",
        title=source.title or source.filename or "",
        start=None if source.start_index is None else source.start_index + offset,
        end=None if source.end_index is None else source.end_index + offset,
    )
