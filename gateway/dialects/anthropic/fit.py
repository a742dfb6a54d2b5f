"""Whether a caller's body may go to a model as it is, or has to be written anew to be accepted there.

Callers of this format write for the model they name. A router may choose another one, of a generation that refuses a
field, or one that did not seal the thoughts in the conversation.
"""

import re

from core.scan import top_level_spans
from gateway.dialects.anthropic.models import Abilities, abilities_of
from gateway.dialects.contract import TargetManner
from gateway.dialects.seals import PREFIX
from gateway.wire.prompt import Prompt

KEYS = (b"thinking", b"output_config", b"temperature", b"top_p", b"top_k", b"max_tokens", b"tool_choice")
THINKING, OUTPUT_CONFIG, TEMPERATURE, TOP_P, TOP_K, MAX_TOKENS, TOOL_CHOICE = range(len(KEYS))

SEAL = PREFIX.encode()
# Thoughts that nobody sealed and sources that nobody at Anthropic found: we wrote them, and Anthropic refuses them.
UNSEALED = re.compile(rb'"(?:signature|encrypted_index)"\s*:\s*""')
SYSTEM_TURN = re.compile(rb'"role"\s*:\s*"system"')
POINTER = re.compile(rb'"type"\s*:\s*"(?:url|file)"')  # the source of an image or a file
WORD = re.compile(rb'"([a-z_]+)"')
EFFORTS = ("low", "medium", "high", "xhigh", "max")


def fits(prompt: Prompt, manner: TargetManner) -> bool:
    """Errs on the side of writing anew, which loses nothing that the model accepts."""
    body = prompt.body
    if SEAL in body or UNSEALED.search(body) is not None:
        return False
    able = abilities_of(manner.model)
    if not able.is_claude:
        return True
    if prompt.last_role == "assistant" and not able.prefill:
        return False
    if not able.system_turns and SYSTEM_TURN.search(body) is not None:
        return False
    values = {key: body[start:end] for key, _, start, end, _ in top_level_spans(body, KEYS)}
    return (
        sampling_fits(values, able)
        and thinking_fits(values, able)
        and output_fits(words_in(values.get(OUTPUT_CONFIG, b"")), able)
        and (not manner.max_output_tokens or int_of(values.get(MAX_TOKENS, b"")) <= manner.max_output_tokens)
    )


def points_elsewhere(body: bytes) -> bool:
    """Whether an image or a file is told by its address or upload, which not every host of Claude can read."""
    return POINTER.search(body) is not None


def sampling_fits(values: dict[int, bytes], able: Abilities) -> bool:
    asked = {TEMPERATURE, TOP_P, TOP_K} & values.keys()
    if not able.sampling:
        return not asked
    return able.both_sampling or not {TEMPERATURE, TOP_P} <= asked


def thinking_fits(values: dict[int, bytes], able: Abilities) -> bool:
    words = words_in(values.get(THINKING, b""))
    accepted = {"adaptive": able.adaptive, "enabled": able.budget, "disabled": able.off in ("omitted", "disabled")}
    accepted["between_tools"] = able.off == "between_tools"
    is_forced = bool({"any", "tool"} & words_in(values.get(TOOL_CHOICE, b"")))
    thinks = able.on_by_default or bool({"adaptive", "enabled"} & words)
    return all(accepted[word] for word in words & accepted.keys()) and not (is_forced and thinks)


def output_fits(words: set[str], able: Abilities) -> bool:
    if "format" in words and not able.schema:
        return False
    return "effort" not in words or all(word in able.efforts for word in words.intersection(EFFORTS))


def words_in(value: bytes) -> set[str]:
    return {word.decode() for word in WORD.findall(value)}


def int_of(value: bytes) -> int:
    return int(value) if value.isdigit() else 0
