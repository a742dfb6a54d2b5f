"""Pictures, sound and documents as parts, in both directions."""

from msgspec import Struct
from msgspec.structs import replace

from gateway.dialects.chat.media import TYPE_OF_FORMAT, UPLOADS_AT, format_of, split_url, url_of
from gateway.dialects.responses.names import DIALECT
from gateway.dialects.responses.schema import CacheBreakpoint, InputAudio, Part
from gateway.wire.conversation import CacheMark, Media

LONG, SHORT = "12h", "30m"  # OpenAI's lifetimes; ours are an hour and five minutes
HOUR = 3600
AUTO = "auto"  # the `detail` of who has no wish; of images it has to be said
UNNAMED = "document.pdf"  # OpenAI refuses content without a name


class MediaOut(Struct, frozen=True, omit_defaults=True):
    type: str
    image_url: str | None = None
    file_url: str | None = None
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None
    detail: str | None = None
    input_audio: InputAudio | None = None
    prompt_cache_breakpoint: CacheBreakpoint | None = None


def mark_of(point: CacheBreakpoint | None) -> CacheMark | None:
    if point is None:
        return None
    return CacheMark(HOUR) if point.ttl == LONG else CacheMark()


def breakpoint_of(mark: CacheMark | None) -> CacheBreakpoint | None:
    return None if mark is None else CacheBreakpoint("explicit", LONG if mark.seconds >= HOUR else SHORT)


def read_media(part: Part) -> Media | None:
    """None when nothing says where the content is."""
    mark, name = mark_of(part.prompt_cache_breakpoint), part.filename or ""
    detail = part.detail if part.detail and part.detail != AUTO else ""
    if part.type == "input_audio":
        audio = part.input_audio
        if audio is None:
            return None
        media_type = TYPE_OF_FORMAT.get(audio.format, f"audio/{audio.format}")
        return Media("audio", data=audio.data, media_type=media_type, cache=mark)
    if part.type == "input_image":
        return placed(Media("image", detail=detail, cache=mark), part.image_url, part.file_id)
    file = Media("file", name=name, detail=detail, cache=mark)
    if part.file_data and not part.file_data.startswith("data:"):
        media_type = "application/pdf" if name.lower().endswith(".pdf") else ""
        return replace(file, data=part.file_data, media_type=media_type)
    return placed(file, part.file_data or part.file_url, part.file_id)


def placed(media: Media, url: str | None, file_id: str | None) -> Media | None:
    """The same, with the place of its content."""
    if url:
        address, media_type, data = split_url(url)
        return replace(media, url=address, media_type=media_type, data=data)
    return replace(media, file_id=file_id, origin=DIALECT) if file_id else None


def written(media: Media, mark: CacheMark | None) -> MediaOut | None:
    """None for what this format can't show. mark: as far as the target takes one."""
    point = breakpoint_of(mark)
    if media.kind == "audio":
        audio = InputAudio(media.data, format_of(media))
        return MediaOut("input_audio", input_audio=audio, prompt_cache_breakpoint=point) if media.data else None
    if media.kind == "video" or (media.file_id and media.origin not in UPLOADS_AT):
        return None
    file_id = media.file_id or None
    address = url_of(media) if media.url or media.data else None
    if media.kind == "image":
        detail = media.detail or AUTO
        return MediaOut("input_image", image_url=address, file_id=file_id, detail=detail, prompt_cache_breakpoint=point)
    return MediaOut(
        "input_file",
        file_url=address if media.url else None,
        file_data=address if media.data and not media.url else None,
        file_id=file_id,
        filename=(media.name or UNNAMED) if media.data else None,
        detail=media.detail or None,
        prompt_cache_breakpoint=point,
    )
