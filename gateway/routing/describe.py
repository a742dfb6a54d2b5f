"""A prompt, described: what it asks for and how much of it there is."""

from msgspec import Struct

from core.features import Features, extract
from core.language import language_of
from core.matrix import RequestFigures
from core.predictor import TASKS, Prediction, Shape, predict
from core.steps import STEP_NAMES, Step
from core.wording import Correction
from gateway.wire.ability import Ability
from gateway.wire.prompt import Prompt

QUOTE = 0x22
JSON_SCHEMA = int(Ability.JSON_SCHEMA)
EMBEDDING = "embedding"  # stands where the name of a task does
NO_STEP = STEP_NAMES[Step.PLAIN]
NO_TASK = Prediction(0, 1.0, 0.0, 0.0, shares=((0, 1.0),), odds=1.0, step=Step.PLAIN)


class Profile(Struct, frozen=True):
    """A request as the decision sees it."""

    features: Features
    prediction: Prediction
    task: str  # the prediction's, by name
    step: str  # the prediction's, by name
    figures: RequestFigures
    language: str = ""  # ISO 639-1 code of what was asked last; "" where it is not clear


def describe(prompt: Prompt, correction: Correction | None = None) -> Profile:
    """Read the prompt's texts once and predict what the answer takes. correction: what own labels say of tasks."""
    needs = int(prompt.needs)  # arithmetic on flags costs a microsecond each
    texts, focus = prompt.texts, _focus(prompt.texts)
    features = extract(texts, focus)
    shape = Shape(
        prompt.tool_count,
        prompt.last_role,
        prompt.message_count,
        prompt.image_count,
        bool(needs & JSON_SCHEMA),
        prompt.max_output_tokens,
    )
    opening, asked = texts[0] if focus > 0 else b"", texts[focus] if focus >= 0 else b""
    prediction = predict(features, shape, opening, asked, correction)
    figures = RequestFigures(
        features.tokens,
        (),  # what providers have in their caches is the session's affair
        prediction.output_tokens,
        float(prompt.max_output_tokens or 0),
        float(prompt.image_count),
        prediction.task,
        needs,
        prompt.stream,
        blend=prediction.shares if len(prediction.shares) > 1 else (),
        odds=prediction.odds,
    )
    task, step = TASKS[prediction.task], STEP_NAMES[prediction.step]
    return Profile(features, prediction, task, step, figures, language_of(asked))


def describe_inputs(prompt: Prompt) -> Profile:
    """What there is to embed: nothing but its size counts, and nothing is written."""
    features = extract(prompt.texts, -1)
    figures = RequestFigures(
        input_tokens=features.tokens + prompt.counted_tokens,
        warm=(),
        output_tokens=0.0,
        max_output_tokens=0.0,
        images=0.0,
        task=0,
        needs=0,
        stream=False,
    )
    return Profile(features, NO_TASK, EMBEDDING, NO_STEP, figures)


def _focus(texts: tuple[bytes, ...]) -> int:
    """The last text of a message. Contents are JSON strings; tool calls and schemas, which follow them, are not."""
    for index in range(len(texts) - 1, -1, -1):
        if texts[index][0] == QUOTE:
            return index
    return -1
