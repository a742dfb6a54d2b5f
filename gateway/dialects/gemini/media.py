"""Pictures, sound, documents and films, in both directions."""

import mimetypes
from typing import Literal

from gateway.dialects.gemini.schema import Blob, FileData, MediaResolution, Part
from gateway.wire.conversation import Media

DIALECT = "gemini"

# Uploads and buckets: what only Google can open.
GOOGLES_OWN = ("https://generativelanguage.googleapis.com/", "gs://", "files/")
FILMS = ("https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/")
# The API wants to be told a type, also where the caller does not say one: by the first bytes, else by the kind.
BEGINNINGS = {
    "/9j/": "image/jpeg",
    "iVBOR": "image/png",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi": "application/pdf",
}
USUAL = {"image": "image/jpeg", "audio": "audio/wav", "file": "application/pdf", "video": "video/mp4"}

Kind = Literal["image", "audio", "file", "video"]


def kind_of(media_type: str, url: str = "") -> Kind:
    """By its type, or by its address where nobody said the type."""
    top = (media_type or mimetypes.guess_type(url)[0] or "").lower().partition("/")[0]
    if top == "image":
        return "image"
    if top == "audio":
        return "audio"
    return "video" if top == "video" or url.startswith(FILMS) else "file"


def read_blob(blob: Blob, resolution: MediaResolution | str | None = None) -> Media:
    """Media that came along."""
    media_type = blob.mime_type or ""
    return Media(
        kind_of(media_type),
        data=blob.data or "",
        media_type=media_type,
        name=blob.display_name or "",
        detail=detail_of(resolution),
    )


def read_file(file: FileData, resolution: MediaResolution | str | None = None) -> Media:
    """Media at an address: anybody's, or one that only Google knows."""
    media_type, uri, detail = file.mime_type or "", file.file_uri or "", detail_of(resolution)
    kind, name = kind_of(media_type, uri), file.display_name or ""
    if uri.startswith(GOOGLES_OWN):
        return Media(kind, media_type=media_type, file_id=uri, origin=DIALECT, name=name, detail=detail)
    return Media(kind, url=uri, media_type=media_type, name=name, detail=detail)


def detail_of(resolution: MediaResolution | str | None) -> str:
    """OpenAI's word for a media resolution; "" for one that it has no word for."""
    level = resolution.level if isinstance(resolution, MediaResolution) else resolution
    return {"MEDIA_RESOLUTION_LOW": "low", "MEDIA_RESOLUTION_HIGH": "high"}.get(level or "", "")


def written(media: Media) -> Part | None:
    """The part that shows it; None where Google cannot get at it."""
    if media.data:
        return Part(inline_data=Blob(media.media_type or sniffed(media), media.data))
    if media.url.startswith("data:"):
        head, _, data = media.url.partition(",")
        return Part(inline_data=Blob(head[5:].partition(";")[0] or sniffed(media), data))
    if media.url.startswith(("https://", "http://")):
        return Part(file_data=FileData(type_at(media), media.url))
    if media.file_id and media.origin == DIALECT:
        return Part(file_data=FileData(media.media_type or None, media.file_id))
    return None


def sniffed(media: Media) -> str:
    found = (media_type for beginning, media_type in BEGINNINGS.items() if media.data.startswith(beginning))
    return next(found, USUAL[media.kind])


def type_at(media: Media) -> str | None:
    """Google fetches public addresses itself, images and PDF among them, and wants to be told what it will find.

    Source: ai.google.dev/gemini-api/docs/file-input-methods, read 2026-11-23. Films of YouTube need no type.
    """
    if media.media_type or media.url.startswith(FILMS):
        return media.media_type or None
    path = media.url.partition("?")[0].partition("#")[0]
    return mimetypes.guess_type(path)[0] or USUAL[media.kind]
