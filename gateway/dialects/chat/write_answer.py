"""A whole answer as a caller gets it."""

from collections.abc import Iterable

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.dialects.chat import citations
from gateway.dialects.chat.custom import custom_names, unwrapped
from gateway.dialects.chat.media import url_of
from gateway.dialects.chat.reasoning import ReasoningDetail, details_of
from gateway.dialects.chat.usage import write_usage
from gateway.dialects.chat.words import finish_written
from gateway.dialects.chat.write_messages import CalledCustomOut, CalledFunctionOut, CallOut
from gateway.dialects.seals import sealed
from gateway.wire.conversation import Answer, AnswerChoice, Conversation, Media, Part, Refusal, Text, Thought, ToolCall
from gateway.wire.delta import Usage

GOOGLE = "google"


class AudioOut(Struct, frozen=True, gc=False):
    id: str
    data: str
    transcript: str = ""
    expires_at: int = 0  # nothing is stored


class ImageOut(Struct, frozen=True, gc=False):
    type: str
    image_url: dict[str, str]


class AnswerMessage(Struct, frozen=True, gc=False):
    role: str
    content: str | None
    refusal: str | None
    reasoning_content: str | UnsetType = UNSET
    reasoning_details: list[ReasoningDetail] | UnsetType = UNSET
    tool_calls: list[CallOut] | UnsetType = UNSET
    annotations: list[Raw] | UnsetType = UNSET
    images: list[ImageOut] | UnsetType = UNSET
    audio: AudioOut | UnsetType = UNSET


class WrittenChoice(Struct, frozen=True, gc=False):
    index: int
    message: AnswerMessage
    logprobs: Raw | None
    finish_reason: str
    native_finish_reason: str | UnsetType = UNSET  # OpenRouter's: a finish that OpenAI has no word for


class WrittenAnswer(Struct, frozen=True, gc=False):
    id: str
    object: str
    created: int
    model: str
    choices: list[WrittenChoice]
    usage: Raw | UnsetType = UNSET


def write_answer(answer: Answer, usage: Usage | None, conversation: Conversation) -> bytes:
    """The body of a caller who asked for no stream."""
    custom = custom_names(conversation)
    choices = [write_choice(number, choice, answer.id, custom) for number, choice in enumerate(answer.choices)]
    counts = UNSET if usage is None else write_usage(usage)
    written = WrittenAnswer(answer.id, "chat.completion", answer.created, answer.model, choices, counts)
    return msgspec.json.encode(written)


def write_choice(number: int, choice: AnswerChoice, answer_id: str, custom: frozenset[str]) -> WrittenChoice:
    message = write_message(choice.parts, answer_id, custom)
    finish = finish_written(choice.finish, message.tool_calls is not UNSET)
    native = native_finish(choice.finish, finish)
    return WrittenChoice(number, message, choice.logprobs, finish, native)


def native_finish(finish: str, told: str) -> str | UnsetType:
    return finish if finish not in ("", told, "stop") else UNSET


def write_message(parts: Iterable[Part], answer_id: str, custom: frozenset[str]) -> AnswerMessage:
    """Everything that a choice says. Texts and thoughts each become one."""
    text, thought, refusal = "", "", ""
    thoughts: list[Thought] = []
    calls: list[CallOut] = []
    annotations: list[Raw] = []
    images: list[ImageOut] = []
    sound: list[str] = []
    has_text = False
    for part in parts:
        if isinstance(part, Text):
            place = len(text) + len(part.text)
            sources = (citations.written(citation, place) for citation in part.citations)
            annotations += [raw for raw in sources if raw is not None]
            text += part.text
            has_text = True
        elif isinstance(part, Thought):
            thought += part.text
            thoughts.append(part)
        elif isinstance(part, ToolCall):
            calls.append(write_call(part, custom))
        elif isinstance(part, Refusal):
            refusal += part.text
        elif isinstance(part, Media) and part.kind == "image":
            images.append(ImageOut("image_url", {"url": url_of(part)}))
        elif isinstance(part, Media) and part.kind == "audio":
            sound.append(part.data)
    return AnswerMessage(
        "assistant",
        text if has_text or not (calls or refusal or images or sound) else None,
        refusal or None,
        reasoning_content=thought or UNSET,
        reasoning_details=details_of(thoughts) or UNSET,
        tool_calls=calls or UNSET,
        annotations=annotations or UNSET,
        images=images or UNSET,
        audio=AudioOut(f"audio_{answer_id}", "".join(sound)) if sound else UNSET,
    )


def write_call(call: ToolCall, custom: frozenset[str]) -> CallOut:
    """A call as the caller knows the tool: text for a custom one, also where the provider saw a function."""
    if call.is_custom or call.name in custom:
        text = call.arguments if call.is_custom else unwrapped(call.arguments)
        return CallOut(call.id, "custom", custom=CalledCustomOut(call.name, text))
    function = CalledFunctionOut(call.name, call.arguments)
    return CallOut(call.id, "function", function, extra_content=seal_written(call.signature, call.origin))


def seal_written(signature: str, origin: str) -> dict[str, dict[str, str]] | UnsetType:
    """A signature of a call, where Gemini's OpenAI endpoint has it."""
    return {GOOGLE: {"thought_signature": sealed(signature, origin, GOOGLE)}} if signature else UNSET
