"""The fault matrix plays real cells, and sees what is wrong when something is."""

import json

import pytest
from msgspec.structs import replace

from loadtest.chaos.caller import Heard
from loadtest.chaos.cells import Arrangement, Cell, Places, cells, seats, selected, shortened
from loadtest.chaos.checks import complaints
from loadtest.chaos.evidence import Evidence
from loadtest.chaos.faults import TABLE
from loadtest.chaos.foreign import description
from loadtest.chaos.formats import CHAT, told_by
from loadtest.chaos.page import Run, page
from loadtest.chaos.play import Plan, Result, play
from loadtest.chaos.stage import FULL, KEY, SCALED

PLACES = Places(*(f"127.0.0.1:{port}" for port in range(1, 6)))
ASKED = ["F01", "F11", "F26;v=422", "F29", "F53", "F60"]


def chosen(spec: str, stream: bool, arrangement: Arrangement) -> Cell:
    (found,) = (
        cell for cell in selected([spec], ["openai_chat"]) if cell.stream is stream and cell.arrangement is arrangement
    )
    return found


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return play(Plan(selected(ASKED, ["anthropic_messages"]), seed=3), lambda line: None)


def test_the_cells_of_well_known_faults_pass(results: list[Result]) -> None:
    assert {str(result.cell): result.wrong for result in results if result.wrong} == {}
    assert len(results) == len(ASKED) * 2 * 3


def test_the_page_shows_every_fault_that_was_played(results: list[Result]) -> None:
    broken = replace(results[0], wrong=["the text is `wrong` | here"])
    plan = Plan([result.cell for result in results], seed=3)
    text = page(Run([broken, *results[1:]], plan, 1.0), {}, seed=3)
    assert "**35 of 36 cells pass.**" in text
    assert all(f"| {spec} |" in text for spec in ASKED)
    assert "`the text is 'wrong' , here`" in text


def heard(status: int, body: str) -> Heard:
    return Heard(status, [("content-type", "application/json")], body.encode(), 0.1, 0.0)


def evidence(cell: Cell, answer: Heard) -> Evidence:
    told = told_by(cell.format, cell.stream, answer.body if answer.status == 200 else b"{}")
    words = ["one", " two", " three", " four", " five", " six"]
    return Evidence(cell, seats(cell, PLACES, False), answer, told, words, words, {}, None, is_outside=True)


WHOLE = '{"choices":[{"message":{"content":"%s"},"finish_reason":"stop"}]}'
PIECE = 'data: {"choices":[{"delta":{"content":"one two three four five"}}]}\n\n'
ERROR = 'data: {"error":{"message":"broke off","type":"x","code":1},"choices":[]}\n\n'


@pytest.mark.parametrize(
    ("spec", "stream", "status", "body", "said"),
    [
        ("F29", False, 200, WHOLE % "one two three four five six", ""),
        ("F29", False, 200, WHOLE % "one two three", "the text is"),
        ("F29", False, 500, '{"error":{"message":"no","type":"x","code":null}}', "status 500"),
        ("F29", False, 200, WHOLE % f"one two three four five six{KEY}", "our key"),
        ("F30", False, 200, WHOLE % "<html>", "'<html' is in the answer"),
        ("F53", True, 200, PIECE + ERROR, ""),
        ("F53", True, 200, PIECE, "0 error events"),
        ("F53", True, 200, PIECE + ERROR + "data: [DONE]\n\n", "says it is complete"),
        ("F53", True, 200, PIECE.replace("five", "nine") + ERROR, "is no beginning"),
    ],
)
def test_what_is_wrong_with_an_answer_is_named(spec: str, stream: bool, status: int, body: str, said: str) -> None:
    found = complaints(evidence(chosen(spec, stream, Arrangement.FIRST), heard(status, body)))
    assert found == [] if not said else any(said in one for one in found)


def test_an_error_must_be_one_of_the_callers_format() -> None:
    (cell,) = (
        cell for cell in selected(["F29"], ["gemini"]) if not cell.stream and cell.arrangement is Arrangement.SINGLE
    )
    openai_error = json.dumps({"error": {"message": "no", "type": "server_error", "code": None}})
    assert any("not an error document" in one for one in complaints(evidence(cell, heard(503, openai_error))))


def test_the_matrix_knows_every_fault_once_and_numbers_its_cells() -> None:
    numbers = [cell.number for cell in cells()]
    assert len(set(numbers)) == len(numbers)
    assert len({row.spec for row in TABLE}) == len(TABLE)


def test_the_short_form_has_every_fault_in_both_ways() -> None:
    short = shortened(selected([], []), seed=1)
    assert {cell.row.spec for cell in short} == {row.spec for row in TABLE}
    assert {cell.stream for cell in short} == {False, True}
    assert len(short) < len(list(cells())) / 3


def test_real_lengths_are_asked_for_only_when_wished() -> None:
    cell = chosen("F72;n=5000", True, Arrangement.SINGLE)
    names = [seats(cell, PLACES, full)[0].upstream_name for full in (False, True)]
    assert ["n=5000" in name for name in names] == [True, False]
    assert SCALED.waits(chosen("F08", True, Arrangement.SINGLE)) < FULL.waits(chosen("F08", True, Arrangement.SINGLE))


def test_another_gateway_is_told_which_candidates_each_model_has() -> None:
    cell = chosen("F29", True, Arrangement.FIRST)
    told = json.loads(description([cell], 9300, False))[cell.model]
    assert [one["model"].partition(":")[2] for one in told] == ["F29;tokens=12", "OK;tokens=12"]


def test_what_is_no_json_is_noted_as_such() -> None:
    assert told_by(CHAT, False, b"no json").malformed == ["no json"]
    assert told_by(CHAT, True, b"no event\n\n").malformed == ["no event"]
