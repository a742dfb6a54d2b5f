"""Of a provider's error what it says is kept, and what it quotes of the prompt is not."""

import json

import pytest

from gateway.providers.unquoted import LONGEST_REQUEST, WITHHELD, unquoted

PROMPT = 'My password is "Correct Horse Battery Staple",\nplease keep it für mich 秘密的提示词不能被保存在日志里面'


def request(text: str, model: str = "acme/longest-model-name") -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}]}).encode()


@pytest.mark.parametrize(
    "quoted",
    [PROMPT, json.dumps(PROMPT), json.dumps(PROMPT, ensure_ascii=False), repr(PROMPT), PROMPT.upper(), PROMPT[10:60]],
    ids=["plain", "ascii json", "json", "repr", "upper", "middle"],
)
def test_what_is_quoted_of_the_prompt_is_cut_out(quoted: str) -> None:
    kept = unquoted(f"Invalid value: {quoted} is refused by policy 7", request(PROMPT))
    assert kept.startswith("Invalid value: ")
    assert kept.endswith(" is refused by policy 7")
    for word in ("password", "Horse", "HORSE", "Battery", "秘密", "u79d8"):
        assert word not in kept


def test_a_name_that_the_request_gives_a_member_is_its_own_too() -> None:
    body = b'{"tools":[{"function":{"name":"f","parameters":{"properties":{"customer_passport_number":{}}}}}]}'
    assert unquoted("bad schema at 'customer_passport_number'", body) == "bad schema at '[…]'"


def test_words_that_are_not_the_requests_stay() -> None:
    told = "The model acme/longest-model-name is overloaded; try again in 20 s"
    assert unquoted(told, request("try it")) == told


def test_two_quotes_are_two_cuts() -> None:
    body = request("first secret sentence. second secret sentence")
    assert unquoted("a: 'first secret sentence', b: 'second secret sentence'", body) == "a: '[…]', b: '[…]'"


def test_a_request_that_is_no_json_is_compared_as_it_is() -> None:
    assert unquoted("near 'prompt of no json'", b"{prompt of no json") == "near '[…]'"


def test_of_a_huge_request_nothing_is_kept() -> None:
    assert unquoted("anything", b" " * (LONGEST_REQUEST + 1)) == WITHHELD
    assert unquoted("", b" " * (LONGEST_REQUEST + 1)) == ""
