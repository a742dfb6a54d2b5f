"""Pictures, documents, recordings and films as blocks. Bedrock fetches nothing but from S3."""

import re

from msgspec import Struct

from gateway.dialects.bedrock.written import BlockOut, MediaOut, S3Out, SourceOut
from gateway.wire.conversation import Media

# Formats by their media types. Source: botocore 1.44.5, bedrock-runtime/2023-09-30/service-2.json, read 2026-11-23.
IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
AUDIO = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/aac": "aac",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/webm": "webm",
    "audio/pcm": "pcm",
}
VIDEOS = {
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/x-matroska": "mkv",
    "video/x-flv": "flv",
    "video/mpeg": "mpeg",
    "video/x-ms-wmv": "wmv",
    "video/3gpp": "three_gp",
}
FORMATS = {"image": IMAGES, "file": DOCUMENTS, "audio": AUDIO, "video": VIDEOS}
# The first characters in base64, for callers who do not say what it is.
SIGNS = {
    "/9j/": "image/jpeg",
    "iVBOR": "image/png",
    "R0lGOD": "image/gif",
    "UklGR": "image/webp",
    "JVBERi": "application/pdf",
}
ENDINGS = {"jpg": "jpeg", "three-gp": "three_gp", "3gp": "three_gp"}
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9()\[\]-]+")
MOST_NAME_CHARACTERS = 200


class Refused(Struct, frozen=True):
    """Why Bedrock cannot have it."""

    reason: str


def written(media: Media, number: int) -> BlockOut | Refused:
    """number: of the document in the conversation; every one has a name, and no two the same."""
    format_ = format_of(media)
    if media.data:
        source = SourceOut(media.data)
    elif media.url.startswith("s3://"):
        source = SourceOut(s3Location=S3Out(media.url))
    else:
        why = "uploaded elsewhere" if media.file_id and not media.url else "at an address"
        return Refused(f"Bedrock fetches nothing: {media.kind} {why} has to be sent as data")
    if not format_:
        return Refused(
            f"{media.media_type or 'a file of unknown type'} is no format that Bedrock takes as {media.kind}"
        )
    if media.kind == "image":
        return BlockOut(image=MediaOut(format_, source))
    if media.kind == "file":
        return BlockOut(document=MediaOut(format_, source, name_of(media.name, number)))
    return (
        BlockOut(audio=MediaOut(format_, source))
        if media.kind == "audio"
        else BlockOut(video=MediaOut(format_, source))
    )


def format_of(media: Media) -> str:
    """By its media type, its first bytes, or the ending of its address; "" when none of them tells."""
    formats = FORMATS[media.kind]
    media_type = media.media_type.partition(";")[0].strip().lower()
    if media_type in formats:
        return formats[media_type]
    if media.data:
        sign = next((kind for sign, kind in SIGNS.items() if media.data.startswith(sign)), "")
        if sign in formats:
            return formats[sign]
        return "txt" if media.kind == "file" and media_type.startswith("text/") else ""
    ending = media.url.rpartition(".")[2].lower()
    ending = ENDINGS.get(ending, ending)
    return ending if ending in formats.values() else ""


def name_of(name: str, number: int) -> str:
    """Letters, digits, hyphens, brackets and single spaces, with the number that makes it the only one."""
    clean = NOT_IN_A_NAME.sub(" ", name).strip() or "document"
    return f"{clean[: MOST_NAME_CHARACTERS - 8].strip()} {number}"
