"""A prompt, described: what it asks for and how much of it there is."""

from msgspec import Struct

from core.features import Features, extract
from core.matrix import RequestFigures
from core.predictor import TASKS, Prediction, predict
from gateway.wire.ability import Ability
from gateway.wire.prompt import Prompt

QUOTE = 0x22
JSON_SCHEMA = int(Ability.JSON_SCHEMA)


class Profile(Struct, frozen=True):
    """A request as the decision sees it."""

    features: Features
    prediction: Prediction
    task: str  # the prediction's, by name
    figures: RequestFigures


def describe(prompt: Prompt) -> Profile:
    """Read the prompt's texts once and predict what the answer takes."""
    needs = int(prompt.needs)  # arithmetic on flags costs a microsecond each
    features = extract(prompt.texts, _focus(prompt.texts))
    prediction = predict(
        features,
        tool_count=prompt.tool_count,
        last_role=prompt.last_role,
        message_count=prompt.message_count,
        image_count=prompt.image_count,
        structured_output=bool(needs & JSON_SCHEMA),
        max_output_tokens=prompt.max_output_tokens,
    )
    figures = RequestFigures(
        features.tokens,
        0.0,  # nothing is known yet of what a provider has cached
        prediction.output_tokens,
        float(prompt.max_output_tokens or 0),
        float(prompt.image_count),
        prediction.task,
        needs,
        prompt.stream,
    )
    return Profile(features, prediction, TASKS[prediction.task], figures)


def _focus(texts: tuple[bytes, ...]) -> int:
    """The last text of a message. Contents are JSON strings; tool calls and schemas, which follow them, are not."""
    for index in range(len(texts) - 1, -1, -1):
        if texts[index][0] == QUOTE:
            return index
    return -1
