"""Faults of embedding requests: those of a whole answer of chat, in the words of each format."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct

from gateway.simulator.spawn import SimulatorProcess
from tests.simulator.test_native_faults import SPECS
from tests.simulator.wire import Seen, ask, connect, control, log_of, post, read_reply


class Format(Struct, frozen=True):
    """How one format is asked, and where it says what."""

    name: str
    path: str
    body: dict[str, Any]
    usage: bytes  # the member that tells of it
    message: Callable[[Any], str]  # of an error document


# Short vectors: some faults send byte by byte.
FORMATS = [
    Format(
        "openai",
        "/v1/embeddings",
        {"model": "sim/embed-small", "input": "hello", "dimensions": 2},
        b'"prompt_tokens"',
        lambda document: document["error"]["message"],
    ),
    Format(
        "gemini",
        "/v1beta/models/sim/embed-small:embedContent",
        {"content": {"parts": [{"text": "hello"}]}, "outputDimensionality": 2},
        b'"promptTokenCount"',
        lambda document: document["error"]["message"],
    ),
    Format(
        "gemini batch",
        "/v1beta/models/sim/embed-small:batchEmbedContents",
        {
            "requests": [
                {
                    "model": "models/sim/embed-small",
                    "content": {"parts": [{"text": "hello"}]},
                    "outputDimensionality": 2,
                }
            ]
        },
        b'"promptTokenCount"',
        lambda document: document["error"]["message"],
    ),
    Format(
        "cohere",
        "/v2/embed",
        {
            "model": "sim/embed-small",
            "texts": ["hello"],
            "input_type": "search_query",
            "embedding_types": ["ubinary"],
        },
        b'"billed_units"',
        lambda document: document["message"],
    ),
    Format(
        "ollama",
        "/api/embed",
        {"model": "sim/embed-small", "input": "hello", "dimensions": 2},
        b'"prompt_eval_count"',
        lambda document: document["error"],
    ),
]


@pytest.fixture(params=FORMATS, ids=lambda asked: asked.name)
def asked(request: pytest.FixtureRequest) -> Format:
    found: Format = request.param
    return found


def send(simulator: SimulatorProcess, asked: Format, fault: str = "") -> Seen:
    headers = {"x-steelyard-simulate": fault} if fault else {}
    with connect(simulator.ports["sim-alpha"]) as caller:
        caller.sendall(post(asked.path, json.dumps(asked.body).encode(), headers))
        return read_reply(caller, Seen())


def test_every_fault_has_the_status_and_the_end_that_it_has_in_chat(simulator: SimulatorProcess) -> None:
    for spec in SPECS:
        chat = ask(simulator.ports["sim-alpha"], spec, stream=False)
        for asked in FORMATS:
            seen = send(simulator, asked, spec)
            assert (asked.name, spec, seen.status, seen.ending) == (asked.name, spec, chat.status, chat.ending)


@pytest.mark.parametrize("fault", ["F08", "F57"])
def test_silence_is_silence(simulator: SimulatorProcess, fault: str) -> None:
    assert send(simulator, FORMATS[0], fault).ending == "silent"


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("F11", 429, "Please try again in 7s"),
        ("F21;v=quiet", 401, "API key"),
        ("F23", 404, "deprecated"),
        ("F27", 400, "maximum"),
        ("F29", 500, "error"),
        ("F31", 503, "unavailable"),
        ("F33", 529, "Overloaded"),
        ("F34", 200, "overloaded"),
        ("F99", 400, "no fault 'F99'"),
    ],
)
def test_an_error_has_the_shape_of_the_format(
    simulator: SimulatorProcess, asked: Format, fault: str, status: int, words: str
) -> None:
    seen = send(simulator, asked, fault)
    assert seen.status == status
    assert words in asked.message(json.loads(seen.body))


def test_a_good_answer_late_or_in_pieces_is_the_good_answer(simulator: SimulatorProcess, asked: Format) -> None:
    good = vectors_in(send(simulator, asked))
    for fault in ("F09;delay=1", "F49;gap=0", "F63", "F68", "F71", "F72;n=9", "F73;gap=1", "F75", "F78"):
        assert vectors_in(send(simulator, asked, fault)) == good


def vectors_in(seen: Seen) -> object:
    told = json.loads(seen.body)
    return told.get("data") or told.get("embeddings") or told["embedding"]


@pytest.mark.parametrize("fault", ["F39;v=nochoices", "F39;v=null"])
def test_an_answer_may_lack_its_vectors(simulator: SimulatorProcess, asked: Format, fault: str) -> None:
    seen = send(simulator, asked, fault)
    told = json.loads(seen.body)
    found = told.get("data", told.get("embeddings", told.get("embedding")))
    assert seen.status == 200
    assert found in ([], None, [None], [{"object": "embedding", "index": 0, "embedding": None}], {"ubinary": []})


def test_nobody_says_what_was_used(simulator: SimulatorProcess, asked: Format) -> None:
    assert asked.usage in send(simulator, asked).body
    for fault in ("F61", "F39;v=nousage"):
        seen = send(simulator, asked, fault)
        assert asked.usage not in seen.body
        assert vectors_in(seen)


@pytest.mark.parametrize(
    ("variant", "told"), [("neg", b":-1"), ("huge", b":1" + b"0" * 30), ("float", b":1.5"), ("str", b':"1"')]
)
def test_a_false_bill_is_told_and_the_true_one_logged(
    simulator: SimulatorProcess, asked: Format, variant: str, told: bytes
) -> None:
    seen = send(simulator, asked, f"F76;v={variant}")
    assert asked.usage[:-1] in seen.body
    assert told in seen.body
    (entry,) = log_of(simulator.ports["sim-alpha"])
    assert (entry["prompt_tokens"], entry["output_tokens"], entry["cost_nano_usd"]) == (1, 0, 20)


@pytest.mark.parametrize(
    ("fault", "billed", "outcome"),
    [("F29", 0, "done"), ("F34", 0, "done"), ("F37", 0, "cut"), ("F06", 0, "cut"), ("F72;n=9", 1, "done")],
)
def test_only_what_was_answered_is_billed(simulator: SimulatorProcess, fault: str, billed: int, outcome: str) -> None:
    send(simulator, FORMATS[0], fault)
    (entry,) = log_of(simulator.ports["sim-alpha"])
    assert (entry["fault"], entry["prompt_tokens"], entry["outcome"]) == (fault, billed, outcome)
    assert (entry["output_tokens"], entry["cost_nano_usd"]) == (0, 20 * billed)


def test_a_script_and_a_models_name_bring_faults_too(simulator: SimulatorProcess) -> None:
    rule = {"provider": "sim-alpha", "fault": "F31;ra=3", "model": "sim/embed-small", "times": 1}
    control(simulator.control, "script", rule)
    assert ask(simulator.ports["sim-alpha"]).status == 200
    scripted = send(simulator, FORMATS[0])
    assert (scripted.status, scripted.header("retry-after")) == (503, "3")
    assert send(simulator, FORMATS[0]).status == 200
    named = Format("", "/v1beta/models/sim/embed-small:F29:embedContent", FORMATS[1].body, b"", FORMATS[1].message)
    assert send(simulator, named).status == 500
    named = Format("", FORMATS[0].path, {**FORMATS[0].body, "model": "sim/embed-small:F33"}, b"", FORMATS[0].message)
    assert send(simulator, named).status == 529


def test_a_wish_may_be_for_one_embedding_target(simulator: SimulatorProcess) -> None:
    assert send(simulator, FORMATS[0], "sim/embed-small@sim-alpha=F29").status == 500
    assert send(simulator, FORMATS[0], "sim/embed-small@sim-bravo=F29").status == 200
