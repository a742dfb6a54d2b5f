"""What a simulated model can do and hold, and what it refuses."""

from gateway.simulator.chat import Chat, Message, ResponseFormat
from gateway.simulator.complaint import Refusal
from gateway.simulator.models import SimOffer
from gateway.wire.ability import Ability


def check_abilities(chat: Chat, offer: SimOffer) -> None:
    """Refuse what this model cannot do, or cannot hold."""
    request, abilities = chat.request, offer.model.abilities
    if chat.tools and not abilities & Ability.TOOLS:
        raise _unsupported(offer, "tools", "tools")
    _check_tool_choice(chat)
    if chat.beginning and offer.model.reasons:
        # Anthropic's words to those who begin the answer of a model that thinks first.
        message = (
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )
        raise Refusal(400, message, code="invalid_request_error", param="messages")
    if chat.extras.logprobs and not abilities & Ability.LOGPROBS:
        raise _unsupported(offer, "logprobs", "logprobs")
    if _has_part(chat.messages, "image_url") and not abilities & Ability.IMAGES:
        raise _unsupported(offer, "image input", "messages")
    if request.response_format is not None:
        _check_format(request.response_format, offer)
    _check_lengths(chat, offer)


def _unsupported(offer: SimOffer, what: str, param: str) -> Refusal:
    message = f"The model `{offer.upstream_name}` does not support {what}."
    return Refusal(400, message, code="unsupported_parameter", param=param)


def _check_tool_choice(chat: Chat) -> None:
    if chat.forces_calls and not chat.callable_functions:
        message = "Invalid value for 'tool_choice': it forces a function that is not among the 'tools'."
        raise Refusal(400, message, code="invalid_value", param="tool_choice")


def _check_lengths(chat: Chat, offer: SimOffer) -> None:
    request, model = chat.request, offer.model
    if request.wanted_tokens is not None and request.wanted_tokens > model.max_output_tokens:
        raise Refusal(
            400,
            f"max_tokens is too large: {request.wanted_tokens}. `{offer.upstream_name}` supports at most "
            f"{model.max_output_tokens} completion tokens.",
            code="invalid_value",
            param="max_tokens",
        )
    tokens = chat.prompt_tokens
    if tokens > model.context_window:
        raise Refusal(
            400,
            f"This model's maximum context length is {model.context_window} tokens. However, your messages "
            f"resulted in {tokens} tokens. Please reduce the length of the messages.",
            code="context_length_exceeded",
            param="messages",
        )


def _check_format(wanted: ResponseFormat, offer: SimOffer) -> None:
    needed = {"text": Ability(0), "json_object": Ability.JSON_MODE, "json_schema": Ability.JSON_SCHEMA}[wanted.type]
    if offer.model.abilities & needed != needed:
        raise _unsupported(offer, f"response_format {wanted.type}", "response_format")
    if wanted.type == "json_schema" and wanted.json_schema is None:
        raise Refusal(400, "Missing required parameter: 'response_format.json_schema'.", param="response_format")


def _has_part(messages: list[Message], kind: str) -> bool:
    return any(
        part.type == kind for message in messages if isinstance(message.content, list) for part in message.content
    )
