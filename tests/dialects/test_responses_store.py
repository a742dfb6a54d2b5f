"""Responses that requests go on from: kept within bounds, for the key that asked; everything else is refused."""

import json
from typing import Any

import pytest

from gateway.dialects.responses.state import Expanded, asked, expanded, refuse_unsupported
from gateway.dialects.responses.store import ResponseStore, deleted_body
from gateway.errors import InvalidRequest, NotFound

ITEM = {"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
HI = {"type": "message", "role": "user", "content": "hi"}


def request(**members: Any) -> bytes:
    return json.dumps({"model": "auto"} | members).encode()


def response(id_: str = "resp_1", *items: dict[str, Any]) -> bytes:
    return json.dumps({"id": id_, "object": "response", "output": items or [ITEM]}).encode()


def expand(body: bytes, store: ResponseStore | None, caller: str = "key") -> Expanded:
    return expanded(body, asked(body), store, caller)


def test_a_request_goes_on_from_an_earlier_response() -> None:
    store = ResponseStore(10, 10_000)
    first = expand(request(input="hi"), store)
    assert first.body == request(input="hi")
    store.put("key", response(), first.items)
    second = expand(request(input=[{"role": "user", "content": "and?"}], previous_response_id="resp_1"), store)
    whole = json.loads(second.body)
    assert whole == {"model": "auto", "input": [HI, ITEM, {"role": "user", "content": "and?"}]}
    later = ITEM | {"id": "msg_2"}
    store.put("key", response("resp_2", later), second.items)
    third = expand(b'{"previous_response_id":"resp_2"}', store)
    assert json.loads(third.body)["input"] == [*whole["input"], later]
    assert all(one is other for one, other in zip(third.items, second.items, strict=False))


def test_an_item_may_be_named_by_its_id() -> None:
    store = ResponseStore(10, 10_000)
    store.put("key", response(), [json.dumps(HI).encode()])
    body = request(input=[HI, {"type": "item_reference", "id": "msg_1"}, {"role": "user", "content": "so"}])
    assert json.loads(expand(body, store).body)["input"] == [HI, ITEM, {"role": "user", "content": "so"}]
    with pytest.raises(NotFound, match="msg_1") as refused:
        expand(body, store, "another key")
    assert (refused.value.status, refused.value.param) == (404, "input")


def test_nobody_sees_what_another_key_has_kept() -> None:
    store = ResponseStore(10, 10_000)
    store.put("key", response(), [])
    assert store.get("another key", "resp_1") is None
    assert not store.delete("another key", "resp_1")
    with pytest.raises(InvalidRequest, match="resp_1") as refused:
        expand(request(input="x", previous_response_id="resp_1"), store, "another key")
    assert (refused.value.code, refused.value.status) == ("previous_response_not_found", 400)


def test_without_a_store_nothing_is_ignored() -> None:
    assert expand(request(input="x"), None).body == request(input="x")
    for members in ({"previous_response_id": "resp_1"}, {"input": [{"type": "item_reference", "id": "msg_1"}]}):
        with pytest.raises(InvalidRequest, match="responses are not kept") as refused:
            expand(request(**members), None)
        assert refused.value.code == "unsupported_parameter"


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"conversation": "conv_1"}, "conversation"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"background": True}, "background"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"conversation": None, "background": False, "prompt": None}, None),
    ],
)
def test_what_nobody_here_can_do_is_refused(members: dict[str, Any], param: str | None) -> None:
    state = asked(request(input="x", **members))
    if param is None:
        refuse_unsupported(state)
        return
    with pytest.raises(InvalidRequest, match=param) as refused:
        refuse_unsupported(state)
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", param)


def test_a_response_is_kept_unless_the_caller_says_no() -> None:
    assert asked(request(input="x")).is_kept
    assert asked(request(input="x", store=True)).is_kept
    assert not asked(request(input="x", store=False)).is_kept


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"previous_response_id":5}', b'{"input":[5,"item_reference"]}', b"\xff"]
)
def test_a_body_that_makes_no_sense_asks_for_nothing(body: bytes) -> None:
    assert asked(body).previous_response_id == ""
    assert asked(body).references == ()


def test_what_was_used_last_stays_longest() -> None:
    store = ResponseStore(2, 10_000)
    for number in (1, 2):
        store.put("key", response(f"resp_{number}", ITEM | {"id": f"msg_{number}"}), [])
    assert store.get("key", "resp_1") is not None
    store.put("key", response("resp_3"), [])
    assert len(store) == 2
    assert store.get("key", "resp_2") is None
    assert store.item("key", "msg_2") is None
    assert store.get("key", "resp_1") is not None


def test_the_store_never_holds_more_than_its_bytes() -> None:
    store = ResponseStore(100, 2_000)
    for number in range(50):
        store.put("key", response(f"resp_{number}", ITEM | {"id": f"msg_{number}"}), [b'"' + b"x" * 200 + b'"'])
        assert 0 < store.bytes <= 2_000
    store.put("key", response("resp_big"), [b'"' + b"x" * 2_000 + b'"'])
    assert store.get("key", "resp_big") is None
    for number in range(50):
        store.delete("key", f"resp_{number}")
    assert (store.bytes, len(store)) == (0, 0)
    assert store.item("key", "msg_49") is None


def test_the_same_response_is_kept_once() -> None:
    store = ResponseStore(10, 10_000)
    store.put("key", response(), [])
    size = store.bytes
    store.put("key", response(), [])
    assert (store.bytes, len(store)) == (size, 1)
    assert store.item("key", "msg_1") is not None
    assert json.loads(deleted_body("resp_1")) == {"id": "resp_1", "object": "response", "deleted": True}
    empty = ResponseStore(0, 10_000)
    empty.put("key", response(), [])
    assert len(empty) == 0
