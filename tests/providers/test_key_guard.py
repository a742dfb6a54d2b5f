"""A provider that repeats our key in a good answer: nobody gets it, however it is cut."""

import json
import random
from collections.abc import Callable, Iterable

import pytest

from gateway.providers.key_guard import MOST_HELD, MOST_SHOWN, KeyGuard, Keys, prepared, secret_headers

KEY = "sk-ant-api03-Zq8vT2mX5cR7nB4wLk9pQs3dFg6hJ0yU1iO-aSdFgHjKlPoIuYtR"
OTHER = "sk-ant-api03-Ab1cD2eF3gH4iJ5kL6mN7oP8qR9s"
MOST_SEEN = min(MOST_SHOWN, len(KEY) // 4)  # characters of a key that may go out before it is known for one


def keys_of(*keys: str) -> Keys:
    keys_to_guard = prepared(keys)
    assert keys_to_guard is not None
    return keys_to_guard


def chat(text: str, index: int = 0) -> bytes:
    return b'data: {"id":"c1","choices":[{"index":%d,"delta":{"content":%s}}]}\n\n' % (index, json.dumps(text).encode())


def messages(text: str, index: int = 0) -> bytes:
    event = '{"type": "content_block_delta", "index": %d, "delta": {"type": "text_delta", "text": %s}}'
    return b"event: content_block_delta\ndata: " + (event % (index, json.dumps(text))).encode() + b"\n\n"


def texts(stream: bytes) -> dict[int, str]:
    """By index, what a reader of the stream puts together."""
    found: dict[int, str] = {}
    for line in stream.splitlines():
        if line.startswith(b"data: "):
            event = json.loads(line[6:])
            place = event["choices"][0] if "choices" in event else event
            found[place["index"]] = found.get(place["index"], "") + next(
                place["delta"][name] for name in ("content", "text") if name in place["delta"]
            )
    return found


def passed(guard: KeyGuard, blocks: Iterable[bytes]) -> bytes:
    return b"".join(map(guard.pass_on, blocks)) + guard.flush()


def cut(text: str, dice: random.Random) -> list[str]:
    pieces = []
    while text:
        size = dice.choice((1, 1, 2, 3, 5, 9, 40))
        pieces.append(text[:size])
        text = text[size:]
    return pieces


@pytest.mark.parametrize("event", [chat, messages])
@pytest.mark.parametrize("at", range(1, len(KEY)))
def test_a_key_in_two_events_is_found_wherever_it_is_cut(event: Callable[[str], bytes], at: int) -> None:
    guard = KeyGuard(keys_of(KEY))
    out = passed(guard, [event("Your key: " + KEY[:at]), event(KEY[at:] + ", is it not?"), event(" Bye.")])
    said = texts(out)[0]
    assert said.endswith("***, is it not? Bye.")
    assert len(said) <= len("Your key: ***, is it not? Bye.") + MOST_SEEN
    assert guard.has_found


def test_a_key_is_found_in_any_pieces_beside_anything() -> None:
    dice = random.Random(7)
    for _ in range(1_500):
        story = "".join(
            dice.choice((KEY, OTHER, KEY[:9], KEY[:25] + "!", "s", " is", "sk-", "\n", '"')) for _ in range(8)
        )
        blocks = [chat(piece) for piece in cut(story, dice)]
        guard = KeyGuard(keys_of(KEY, OTHER))
        if dice.random() < 0.3:
            blocks = [b"".join(blocks)]
        out = passed(guard, blocks)
        said = texts(out)[0]
        assert KEY not in said
        assert OTHER not in said
        assert guard.has_found == (said != story)
        if said == story:
            assert out == b"".join(blocks)


def test_choices_that_come_by_turns_are_kept_apart() -> None:
    guard = KeyGuard(keys_of(KEY))
    blocks = [chat(letter, index) for letter in KEY for index in (0, 1)]
    said = texts(passed(guard, blocks))
    assert said == {0: KEY[:MOST_SEEN] + "***", 1: KEY[:MOST_SEEN] + "***"}


def test_what_only_begins_like_a_key_goes_out_as_it_came_and_at_once() -> None:
    guard = KeyGuard(keys_of(KEY))
    for text in ("All keys", " begin with", " sk-ant", "-api03-", " and so", " on"):
        assert guard.pass_on(chat(text)) == chat(text)
    held = [chat(KEY[:20]), chat("-not")]
    assert len(guard.pass_on(held[0])) < len(held[0])
    assert texts(b"".join([chat(""), *held]))[0] == KEY[:20] + "-not"
    assert guard.pass_on(held[1]).endswith(held[1])
    assert guard.flush() == b""
    assert not guard.has_found


def test_a_key_that_lacks_its_end_is_none_the_better_for_it() -> None:
    guard = KeyGuard(keys_of(KEY))
    assert texts(passed(guard, [chat(KEY[:-1])]))[0] == "***"


def test_nothing_is_held_for_ever() -> None:
    guard = KeyGuard(keys_of(KEY))
    guard.pass_on(chat(KEY[:30]))
    pings = b": ping\n\n" * (MOST_HELD // 8)
    assert guard.pass_on(pings).endswith(pings)


def test_a_key_is_found_outside_of_texts_too() -> None:
    block = b'data: {"id":"%s","choices":[{"index":0,"delta":{"content":"x"}}],"%s":["%s"]}\n\n' % ((KEY.encode(),) * 3)
    assert passed(KeyGuard(keys_of(KEY)), [block]) == block.replace(KEY.encode(), b"***")


@pytest.mark.parametrize("key", ['ab/cd+ef"gh\\ij/kl==', "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"])
def test_a_key_is_known_as_json_writes_it(key: str) -> None:
    keys = keys_of(key)
    for body in (json.dumps({"text": key}).encode(), json.dumps({"text": key}).replace("/", r"\/").encode()):
        assert json.loads(keys.redact(body)) == {"text": "***"}


def test_an_innocent_answer_is_not_even_copied() -> None:
    body = b'{"text":"hello"}'
    assert keys_of(KEY).redact(body) is body


def test_the_words_that_local_servers_take_for_a_key_are_none() -> None:
    assert prepared(("EMPTY", "ollama", "")) is None


def test_headers_that_are_named_or_look_like_a_secret_are_guarded() -> None:
    headers = {"HTTP-Referer": "https://example.com", "x-auth": "Bearer abc", "Api-Key": "def", "x": KEY}
    assert secret_headers(headers.items()) == ("abc", "def", KEY)
