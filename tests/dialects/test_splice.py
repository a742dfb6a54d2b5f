"""Requests on their way out: a file in `tests/fixtures/splice` holds a body, options, and what the provider gets."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gateway.dialects.contract import TargetManner
from gateway.dialects.edits import attach
from gateway.dialects.openai_chat import parse
from gateway.dialects.splice import upstream_body

FOLDER = Path(__file__).parent.parent / "fixtures" / "splice"


class Case(NamedTuple):
    """One `.case` file."""

    name: str
    body: bytes
    options: dict[str, Any]
    expected: bytes

    def __str__(self) -> str:
        return self.name


def load(path: Path) -> Case:
    body, options, expected = path.read_bytes().removesuffix(b"\n").split(b"\n----------\n")
    chosen = {name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(options).items()}
    return Case(path.stem, body, chosen, expected)


@pytest.mark.parametrize("case", [load(path) for path in sorted(FOLDER.glob("*.case"))], ids=str)
def test_a_request_is_spliced(case: Case) -> None:
    prompt = parse(case.body, default_model="auto")
    assert upstream_body(prompt, TargetManner("up/m", **case.options)).body == case.expected


def test_a_hostile_model_name_stays_a_string() -> None:
    prompt = parse(b'{"model":"a","messages":[{"role":"user","content":"hi"}]}')
    assert (
        json.loads(upstream_body(prompt, TargetManner('x","stream":true,"y":"')).body)["model"]
        == 'x","stream":true,"y":"'
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a":1}', b'{"a":1,"steelyard":{"m":2}}'),
        (b'{"a":1 \n}\n', b'{"a":1 \n,"steelyard":{"m":2}}\n'),
        (b"{}", b'{"steelyard":{"m":2}}'),
        (b"{ }", b'{ "steelyard":{"m":2}}'),
        (b'{"a":"}"}', b'{"a":"}","steelyard":{"m":2}}'),
        (b'{"steelyard":{"other":1},"a":1}', b'{"a":1,"steelyard":{"m":2}}'),
        (b'{"a":1,"steelyard":{"other":1}}', b'{"a":1,"steelyard":{"m":2}}'),
        (b'{"a":"steelyard"}', b'{"a":"steelyard","steelyard":{"m":2}}'),
    ],
)
def test_metadata_becomes_the_last_member(body: bytes, expected: bytes) -> None:
    assert attach(body, b'{"m":2}') == expected


def test_only_an_object_takes_metadata() -> None:
    with pytest.raises(ValueError, match="object"):
        attach(b"[1]", b"{}")
