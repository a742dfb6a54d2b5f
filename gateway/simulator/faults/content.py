"""Faults in what is said while the wire is well, F71, F72, F75-F78."""

from msgspec import Raw
from msgspec.json import encode
from msgspec.structs import replace

from gateway.simulator.answer import Choice, ToolCall
from gateway.simulator.extras import Counts
from gateway.simulator.scene import Scene, good, opened, thinking, told, whole
from gateway.simulator.steps import Send, Steps
from gateway.simulator.telling import Event, Identity, counts_of

HOSTILE = "<script>alert(1)</script>\r\nset-cookie: a=b\x1b[31m\x00'\"; DROP TABLE receipts;--"
MARK = "\ue000"  # stands where the encoded JSON gets a lone surrogate, which no encoder would write
LONE_SURROGATE = b"\\ud800"


def with_choices(scene: Scene, choices: tuple[Choice, ...]) -> Scene:
    """`scene`, answered otherwise."""
    return replace(scene, telling=replace(scene.telling, answer=replace(scene.answer, choices=choices)))


def filtered(scene: Scene) -> Steps:
    """The answer ends in its middle with finish_reason content_filter."""
    choices = tuple(
        replace(choice, text=choice.text[: len(choice.text) // 2 + 1], calls=(), finish="content_filter")
        for choice in scene.answer.choices
    )
    yield from good(with_choices(scene, choices))


def long_document(scene: Scene) -> Steps:
    """A document of `n` tokens."""
    first = scene.answer.choices[0]
    choice = replace(first, text=[" token"] * scene.count("n"), calls=(), finish="stop")
    yield from good(with_choices(scene, (choice,)))


def broken_call(scene: Scene) -> Steps:
    """A tool call whose arguments stop halfway."""
    calls = scene.answer.choices[0].calls or (ToolCall("call_broken", "lookup", ('{"quer', 'y": "h')),)
    cut = tuple(ToolCall(call.id, call.name, call.arguments[: (len(call.arguments) + 1) // 2]) for call in calls)
    yield from good(with_choices(scene, (Choice(0, [], [], cut, "tool_calls"),)))


def absurd_usage(scene: Scene) -> Steps:
    """The good answer with a bill that cannot be: v=neg, huge, float, str, less (than was written)."""
    true = counts_of(scene.answer)
    prompt, completion = scene.answer.prompt_tokens, scene.answer.output_tokens
    false: dict[str, tuple[object, object, object]] = {
        "neg": (-prompt, -completion, -prompt - completion),
        "huge": (Raw(b"1" + b"0" * 30), Raw(b"1" + b"0" * 30), Raw(b"2" + b"0" * 30)),
        "float": (prompt + 0.5, 1e300, 1e300),
        "str": (str(prompt), str(completion), "many"),
        "less": (prompt, 0, 1),
    }
    stated, output, total = false.get(scene.variant, false["neg"])
    counts = Counts(stated, stated, true.cached, output, true.reasoning, output, total)
    extras = replace(scene.telling.extras, false_counts=counts)
    yield from good(replace(scene, telling=replace(scene.telling, extras=extras)))


def hostile_strings(scene: Scene) -> Steps:
    """Line breaks, markup, terminal escapes, NUL and a lone surrogate as model, id and text."""
    first = scene.answer.choices[0]
    said = replace(first, text=[*first.text, HOSTILE, MARK], calls=(), finish="stop")
    who = Identity(HOSTILE, scene.telling.who.created, f"sim/{HOSTILE}{MARK}")
    changed = with_choices(scene, (said,))
    changed = replace(changed, telling=replace(changed.telling, who=who))
    if scene.chat.request.stream:
        made = [Event(_surrogate(event.data), event.tokens) for event in changed.events()]
        yield from opened(scene)
        yield from told(scene, made)
        yield Send(scene.framed(_surrogate(scene.face.ending(changed.telling))))
        yield from scene.stream_end()
    else:
        yield from thinking(scene, changed.answer.output_tokens)
        yield whole(scene, 200, _surrogate(changed.document()), tokens=changed.answer.output_tokens)


def _surrogate(data: bytes) -> bytes:
    return data.replace(MARK.encode(), LONE_SURROGATE)


def echo(scene: Scene) -> Steps:
    """The request's own headers and body, as JSON, in the answer's text."""
    received = {
        "headers": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scene.received.headers],
        "body": scene.received.body.decode("utf-8", "replace"),
    }
    text = encode(received).decode()
    pieces = [text[start : start + 64] for start in range(0, len(text), 64)]
    yield from good(with_choices(scene, (Choice(0, [], pieces, (), "stop"),)))
