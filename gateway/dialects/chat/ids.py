"""Identifiers that a provider would refuse for their shape, told by their hash: the same one every time."""

import hashlib
import re

from gateway.dialects.contract import TargetManner

MISTRAL = "mistral"
# api.mistral.ai: "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9"; many reports, one of them
# anomalyco/opencode#1680, read 2026-11-23.
MISTRAL_CALL = re.compile(r"[0-9A-Za-z]{9}")
# OpenAI: "Invalid 'user': string too long. Expected a string with maximum length 64", and the same of prompt_cache_key;
# Claude Code's user has 170 characters. Zhipu takes 128: looplj/axonhub#1669, maximhq/bifrost#1000, read 2026-11-23.
MAX_NAME_CHARACTERS = 64
MAX_CALL_CHARACTERS = 40  # OpenAI's limit of tool_calls[].id


def name_told(name: str) -> str:
    """A user or a cache key."""
    return name if len(name) <= MAX_NAME_CHARACTERS else digest(name)


def call_id_told(call_id: str, manner: TargetManner) -> str:
    """The id of a call, the same for the call and its result."""
    if MISTRAL in (manner.provider, manner.family):
        return call_id if MISTRAL_CALL.fullmatch(call_id) else digest(call_id)[:9]
    return call_id if len(call_id) <= MAX_CALL_CHARACTERS else f"call_{digest(call_id)[:32]}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
