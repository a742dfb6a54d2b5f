"""Bytes that no honest provider or caller sends: they cost an error in order, never a fault of ours."""

import pytest

from gateway.dialects.codec import Asked, Identity
from gateway.dialects.embeddings import CODECS, EMBEDDINGS
from gateway.dialects.embeddings import path as embeddings_path
from gateway.dialects.formats import GEMINI, OUTBOUND
from gateway.dialects.gemini.documents import DocumentParser
from gateway.dialects.gemini.openapi import translated
from gateway.dialects.gemini.relay import StreamRelay as GeminiRelay
from gateway.errors import InvalidRequest
from gateway.framing.aws_events import write_message
from gateway.wire.delta import CitationDelta, Failure


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


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gemini", b'{"candidates":[{"content":{"parts":[{"executableCode":{"code":"\xbc"}}]}}]}'),
        ("ollama", b'{"message":{"content":"x","tool_calls":[{"function":{"name":"a","arguments":["\xbc"]}}]}}'),
        ("ollama", b'{"error":"\xf5"}'),
        ("bedrock_converse", b'{"output":{"message":{"content":[{"toolUse":{"name":"a","input":{"b":"\xb8"}}}]}}}'),
    ],
)
def test_an_answer_that_is_no_text_is_no_answer(name: str, body: bytes) -> None:
    deltas = OUTBOUND[name].read_answer(body)
    assert all(isinstance(delta, Failure) for delta in deltas)


def test_gemini_callers_never_get_bytes_that_are_no_text() -> None:
    relay = GeminiRelay()
    assert relay.feed(b'data: {"candidates":[{"content":{"parts":[{"executableCode":{"code":"\xbc"}}]}}]}\n\n') == b""
    assert relay.malformed


def test_converse_events_that_are_no_text_are_malformed() -> None:
    reader = OUTBOUND["bedrock_converse"].stream_reader()
    started = b'{"start":{"toolUse":{"name":"a","toolUseId":"1","input":{"b":"\xb8"}}},"contentBlockIndex":0}'
    assert reader.feed(write_message({":event-type": "contentBlockStart", ":message-type": "event"}, started)) == []
    assert reader.malformed


def test_vectors_that_are_no_text_are_no_answer() -> None:
    asked = Asked(EMBEDDINGS.parse(b'{"model":"m","input":"x"}', "m"), EMBEDDINGS, Identity("dec_1", 0))
    bodies = {
        "openai_embeddings": b'{"data":[{"embedding":"\x85"}]}',
        "ollama_embeddings": b'{"embeddings":["\x85"]}',
    }
    for name, body in bodies.items():
        facts, out = CODECS[name].answer(body, asked, "m")
        assert (facts.malformed, out) == (True, b"")


def test_a_citation_of_another_shape_is_one_without_a_source() -> None:
    cited = b'{"citationsContent":{"content":[{"text":"x"}],"citations":[{"sourceContent":[{"text":3}]}]}}'
    deltas = OUTBOUND["bedrock_converse"].read_answer(b'{"output":{"message":{"content":[' + cited + b"]}}}")
    assert [delta.citation.url for delta in deltas if isinstance(delta, CitationDelta)] == [""]


def test_a_models_name_leads_to_no_query_and_no_fragment() -> None:
    for path in (GEMINI.path("a?b#c d", True).partition("?")[0], embeddings_path("gemini_embeddings", "a?b#c d")):
        assert path.startswith("/models/a%3Fb%23c%20d:")
