"""Where a key may stand, whose it is, what it opens, and that no refusal repeats it."""

import hashlib

import pytest

from gateway.errors import Forbidden, Unauthorized
from gateway.server.auth import PREFIX, Caller, Callers, find_key, new_key
from gateway.settings.load import load_text
from gateway.settings.schema import CallerKey

KEY = "sk-steelyard-7Qm2ZrT5yVb8Nc1Xw4Lp9Ka3Hd6Jf0Gs"
OTHER_KEY = KEY + "x"  # equal in all but its end
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()
OTHER_DIGEST = hashlib.sha256(OTHER_KEY.encode()).hexdigest()

Headers = list[tuple[bytes, bytes]]

PLACES: dict[str, tuple[Headers, bytes]] = {
    "bearer": ([(b"authorization", b"Bearer " + KEY.encode())], b""),
    "bearer in small letters": ([(b"authorization", b"bearer  " + KEY.encode() + b" ")], b""),
    "x-api-key": ([(b"host", b"x"), (b"x-api-key", KEY.encode())], b""),
    "api-key": ([(b"api-key", KEY.encode())], b""),
    "x-goog-api-key": ([(b"x-goog-api-key", KEY.encode())], b""),
    "query": ([], b"alt=sse&key=" + KEY.encode() + b"&n=1"),
    "query with escapes": ([], b"key=" + KEY.replace("-", "%2D").encode()),
    "query beside an empty bearer": ([(b"authorization", b"Bearer ")], b"key=" + KEY.encode()),
    "header beside another scheme": ([(b"authorization", b"Basic eDp5"), (b"x-api-key", KEY.encode())], b""),
}
NOWHERE: dict[str, tuple[Headers, bytes]] = {
    "nothing": ([], b""),
    "another scheme": ([(b"authorization", b"Basic " + KEY.encode())], b""),
    "no scheme": ([(b"authorization", KEY.encode())], b""),
    "another header": ([(b"x-key", KEY.encode())], b""),
    "another parameter": ([], b"apikey=" + KEY.encode() + b"&monkey=1"),
    "a parameter in capitals": ([], b"KEY=" + KEY.encode()),
    "empty values": ([(b"x-api-key", b"  ")], b"key="),
}


@pytest.fixture
def callers() -> Callers:
    return Callers((CallerKey("bot", DIGEST, ("cheap", "fast")), CallerKey("ops", OTHER_DIGEST.upper())))


@pytest.mark.parametrize("place", PLACES)
def test_a_key_is_found_wherever_clients_put_it(callers: Callers, place: str) -> None:
    headers, query = PLACES[place]
    assert find_key(headers, query) == KEY.encode()
    assert callers.identify(headers, query).name == "bot"


@pytest.mark.parametrize("place", NOWHERE)
def test_a_request_without_a_key_is_told_where_to_put_it(callers: Callers, place: str) -> None:
    headers, query = NOWHERE[place]
    assert find_key(headers, query) == b""
    with pytest.raises(Unauthorized, match=r"Authorization: Bearer KEY .*x-api-key.*\?key=") as refusal:
        callers.identify(headers, query)
    assert refusal.value.status == 401
    assert KEY not in refusal.value.message


def test_a_bearer_token_wins_over_the_other_places() -> None:
    headers = [(b"x-api-key", b"second"), (b"authorization", b"Bearer first")]
    assert find_key(headers, b"key=third") == b"first"
    assert find_key(headers[:1], b"key=third") == b"second"


@pytest.mark.parametrize(
    "wrong",
    ["sk-steelyard-unknown", KEY[:-1], KEY + " y", KEY.swapcase(), DIGEST, "k" * 60_000, "' OR 1=1 --", "\x00", "ключ"],
    ids=lambda wrong: repr(wrong[:20]),
)
def test_an_unknown_key_is_refused_and_never_repeated(callers: Callers, wrong: str) -> None:
    with pytest.raises(Unauthorized) as refusal:
        callers.identify([(b"x-api-key", wrong.encode())], b"")
    assert refusal.value.code == "invalid_api_key"
    assert wrong not in refusal.value.message


def test_keys_that_differ_in_their_last_character_alone_are_two_callers(callers: Callers) -> None:
    assert callers.identify([(b"x-api-key", KEY.encode())], b"").name == "bot"
    assert callers.identify([(b"x-api-key", OTHER_KEY.encode())], b"").name == "ops"


def test_a_caller_reaches_the_routers_of_its_key_and_no_other(callers: Callers) -> None:
    bot = callers.identify([(b"x-api-key", KEY.encode())], b"")
    bot.may_use("cheap")
    with pytest.raises(Forbidden, match="bot may not use router quality; it may use cheap, fast") as refusal:
        bot.may_use("quality")
    assert refusal.value.status == 403


def test_a_key_without_routers_reaches_all_of_them(callers: Callers) -> None:
    callers.identify([(b"x-api-key", OTHER_KEY.encode())], b"").may_use("quality")


@pytest.mark.parametrize("headers", [[], [(b"authorization", b"Bearer anything")]], ids=["without a key", "with one"])
def test_everyone_is_let_in_nameless_when_no_keys_are_configured(headers: Headers) -> None:
    assert Callers(()).identify(headers, b"") == Caller("")


def test_a_new_key_is_long_random_and_opens_what_its_digest_was_written_for() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    key, digest = keys.pop()
    assert key.startswith(PREFIX)
    assert len(key.removeprefix(PREFIX)) * 6 >= 192  # bits: 64 letters, 6 bits each
    settings = load_text(f"keys: [{{name: new, sha256: {digest!r}}}]", "x.yaml", {}, []).settings
    assert Callers(settings.keys).identify([(b"x-api-key", key.encode())], b"") == Caller("new")
