"""Texts and media as the content of a message."""

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from gateway.dialects.chat.marks import control_of
from gateway.dialects.chat.media import UPLOADS_AT, FileObject, ImageUrl, InputAudio, format_of, text_of, url_of
from gateway.dialects.chat.request_schema import CacheControl
from gateway.dialects.chat.target import Target
from gateway.dialects.chat.words import DIALECT
from gateway.dialects.losses import Losses
from gateway.wire.conversation import Media, Opaque, Part, Text

PARAGRAPH = "\n\n"
ELSEWHERE = "it lies at another provider"
ONLY_WHOLE = "Chat Completions takes it as base64 only"
NOT_TAKEN = "the provider's Chat Completions has no such part"


class PartOut(Struct, frozen=True, gc=False):
    type: str
    text: str | UnsetType = UNSET
    image_url: ImageUrl | UnsetType = UNSET
    video_url: ImageUrl | UnsetType = UNSET
    input_audio: InputAudio | UnsetType = UNSET
    file: FileObject | UnsetType = UNSET
    cache_control: CacheControl | UnsetType = UNSET


Content = str | list[PartOut | Raw]


class ContentWriter:
    """Writes the parts of turns. Texts alone become one string, which every server takes for every role."""

    def __init__(self, target: Target, losses: Losses) -> None:
        self._target = target
        self._losses = losses

    def content(self, parts: list[Part], turn: int) -> Content:
        """Everything but thoughts, calls and results. turn: which one it is, for what has to be lost."""
        if len(parts) == 1:
            only = parts[0]
            if isinstance(only, Text) and only.cache is None:
                return only.text
        written = [piece for number, part in enumerate(parts) for piece in self._part(part, turn, number)]
        texts = [piece.text for piece in written if isinstance(piece, PartOut) and isinstance(piece.text, str)]
        has_marks = any(isinstance(piece, PartOut) and piece.cache_control is not UNSET for piece in written)
        is_kept = has_marks or (self._target.is_callers_format and len(written) > 1)
        return PARAGRAPH.join(texts) if len(texts) == len(written) and not is_kept else written

    def _part(self, part: Part, turn: int, number: int) -> list[PartOut | Raw]:
        if isinstance(part, Text):
            return [PartOut("text", part.text, cache_control=control_of(part.cache, self._target, self._losses))]
        if isinstance(part, Media):
            return self._media(part, turn, number)
        if isinstance(part, Opaque):
            if part.origin == DIALECT:
                return [part.raw]
            self._losses.add_in_turn(turn, f"content[{number}]", f"{part.what}: only {part.origin} has it")
        return []

    def _media(self, media: Media, turn: int, number: int) -> list[PartOut | Raw]:
        mark = control_of(media.cache, self._target, self._losses)
        text = text_of(media)
        if text is not None and not self._target.is_callers_format:
            named = f"{media.name}:\n{text}" if media.name else text
            return [PartOut("text", named, cache_control=mark)]
        written = self._shown(media)
        if isinstance(written, PartOut):
            return [written if mark is UNSET else replace(written, cache_control=mark)]
        self._losses.add_in_turn(turn, f"content[{number}]", f"{media.kind}: {written}")
        return []

    def _shown(self, media: Media) -> PartOut | str:
        """The part that shows it, or why there is none."""
        is_here = bool(media.data or media.url)
        if media.kind == "image":
            link = ImageUrl(url_of(media), media.detail or None)
            return PartOut("image_url", image_url=link) if is_here else ELSEWHERE
        if media.kind == "audio":
            sound = InputAudio(media.data, format_of(media))
            return PartOut("input_audio", input_audio=sound) if media.data else ONLY_WHOLE
        if media.kind == "video":
            shows = is_here and self._target.takes("video_url")
            return PartOut("video_url", video_url=ImageUrl(url_of(media))) if shows else NOT_TAKEN
        if media.data or (media.url and self._target.takes("file_url")):
            return PartOut("file", file=FileObject(url_of(media), filename=media.name or None))
        if media.file_id and media.origin in UPLOADS_AT:
            return PartOut("file", file=FileObject(file_id=media.file_id, filename=media.name or None))
        return ONLY_WHOLE if media.url else ELSEWHERE
