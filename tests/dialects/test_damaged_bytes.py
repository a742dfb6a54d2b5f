"""Bytes that no honest provider or caller sends: they cost an error in order, never a fault of ours."""

import pytest

from gateway.dialects.formats import GEMINI
from gateway.dialects.gemini.documents import DocumentParser
from gateway.dialects.gemini.openapi import translated
from gateway.errors import InvalidRequest


def test_a_result_without_a_name_answers_the_first_open_call() -> None:
    calls = b'{"role":"model","parts":[{"functionCall":{"name":"a"}},{"functionCall":{"name":"b"}}]}'
    results = b'{"role":"user","parts":[{"functionResponse":{"response":{"output":"1"}}}]}'
    for told, name in ((calls, "a"), (calls.replace(b',{"functionCall":{"name":"b"}}', b""), "a")):
        conversation = GEMINI.read_request(b'{"contents":[' + told + b"," + results + b"]}")
        assert [getattr(part, "name", "") for part in conversation.turns[-1].parts] == [name]


def test_a_wrong_mode_is_told_in_short() -> None:
    body = b'{"contents":[{"parts":[{"text":"x"}]}],"toolConfig":{"functionCallingConfig":{"mode":"%s"}}}'
    with pytest.raises(InvalidRequest) as refused:
        GEMINI.read_request(body % (b"9" * 5_000))
    assert len(refused.value.message) < 200


def test_an_ordering_that_names_no_properties_orders_nothing() -> None:
    schema = {"type": "OBJECT", "properties": {"b": {}, "a": {}}, "propertyOrdering": [{}, ["b"], 1, "a", "a"]}
    assert list(translated(schema)["properties"]) == ["a", "b"]


@pytest.mark.parametrize("cut", range(1, 12))
def test_what_stands_between_documents_means_the_same_however_it_is_cut(cut: int) -> None:
    text = b'["\\"{",]{"a":[]}'
    whole, pieces = DocumentParser(), DocumentParser()
    assert whole.feed(text) == [b'{"a":[]}']
    assert pieces.feed(text[:cut]) + pieces.feed(text[cut:]) == [b'{"a":[]}']
    assert whole.done
    assert pieces.done
