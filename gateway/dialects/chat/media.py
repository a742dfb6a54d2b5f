"""Pictures, sound, documents and films as parts of a message, in both directions."""

import base64
import binascii
import mimetypes
from typing import Literal

from msgspec import Struct

from gateway.dialects.chat.words import DIALECT
from gateway.wire.conversation import CacheMark, Media

UPLOADS_AT = (DIALECT, "openai_responses")  # formats whose file ids are OpenAI's
TYPE_OF_FORMAT = {"mp3": "audio/mpeg", "pcm16": "audio/pcm"}
FORMAT_OF_TYPE = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/x-flac": "flac",
    "audio/pcm": "pcm16",
}
# An answer does not say what its sound is; the first bytes do. What has no head is the raw sound of a stream.
HEADS = {"UklGR": "audio/wav", "SUQz": "audio/mpeg", "//": "audio/mpeg", "T2dnUw": "audio/ogg", "ZkxhQ": "audio/flac"}


class ImageUrl(Struct, frozen=True, gc=False, omit_defaults=True):
    url: str
    detail: str | None = None


class InputAudio(Struct, frozen=True, gc=False):
    data: str
    format: str = "wav"


class FileObject(Struct, frozen=True, gc=False, omit_defaults=True):
    """`file_data` is a data URL; OpenRouter takes an address there."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


def read_url(kind: Literal["image", "video"], link: ImageUrl, cache: CacheMark | None) -> Media:
    """An image or a film by its address, or all of it in a data URL."""
    url, media_type, data = split_url(link.url)
    return Media(kind, url=url, data=data, media_type=media_type, detail=link.detail or "", cache=cache)


def read_audio(audio: InputAudio, cache: CacheMark | None) -> Media:
    media_type = TYPE_OF_FORMAT.get(audio.format, f"audio/{audio.format}")
    return Media("audio", data=audio.data, media_type=media_type, cache=cache)


def read_file(file: FileObject, cache: CacheMark | None) -> Media:
    name = file.filename or ""
    if file.file_data is None:
        return Media("file", file_id=file.file_id or "", origin=DIALECT, name=name, cache=cache)
    url, media_type, data = split_url(file.file_data)
    if url and not url.startswith(("https://", "http://")):
        url, data = "", url  # base64 without the head of a data URL
    media_type = media_type or mimetypes.guess_type(name)[0] or ""
    return Media("file", url=url, data=data, media_type=media_type, name=name, cache=cache)


def split_url(url: str) -> tuple[str, str, str]:
    """Address, type, base64: the address of what is elsewhere, else the other two."""
    if not url.startswith("data:"):
        return url, "", ""
    comma = url.find(",")
    media_type, *parameters = url[5:comma].split(";") if comma > 0 else [""]
    return ("", media_type, url[comma + 1 :]) if "base64" in parameters else (url, "", "")


def url_of(media: Media) -> str:
    """The address, or everything as a data URL."""
    return media.url or f"data:{media.media_type or usual_type(media)};base64,{media.data}"


def usual_type(media: Media) -> str:
    return {"image": "image/png", "file": "application/pdf", "video": "video/mp4"}.get(media.kind, "audio/wav")


def format_of(media: Media) -> str:
    """OpenAI's word for the type of a recording."""
    return FORMAT_OF_TYPE.get(media.media_type, media.media_type.partition("/")[2]) or "wav"


def text_of(media: Media) -> str | None:
    """The words of a document that is nothing but text; None for any other."""
    if not media.data or not media.media_type.startswith("text/"):
        return None
    try:
        return base64.b64decode(media.data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def sniffed_audio(data: str) -> str:
    return next((media_type for head, media_type in HEADS.items() if data.startswith(head)), "audio/pcm")
