"""What must be seen nowhere: keys of callers (S01) and of providers (S02, S03), prompts and answers (S25).

Each is a text that exists once in the world. A gateway at its most talkative log level is led through what it can do,
and past every fault of a provider that shows quickly; then all that it has said and written is searched. Each line of
its log is one JSON object, whatever a caller or a provider has put into it (S15).
"""

import hashlib
import json
import signal
from pathlib import Path

import httpx2
import pytest
from msgspec import Struct

from gateway.server.auth import new_key
from gateway.simulator.faults.table import FAULTS
from tests.running import Gateway, Simulator, stopped_after
from tests.security.counts import count

PROVIDER_KEY = "sk-canary-provider-Zq8vT2mX5cR7nB4w"
FILE_KEY = "sk-canary-file-Wd3kP9sL6hJ1gF5y"
HEADER_KEY = "canary-header-Lm4nB7vC2xZ9aS5d"
CALLER_KEY = new_key()[0]
STRANGERS_KEY = "sk-canary-stranger-Hj6tR3eW8qU1iO0p"
PROMPT = "canary-prompt-Yk5bN8mQ2wE7rT4u"
KEYS = (PROVIDER_KEY, FILE_KEY, HEADER_KEY, CALLER_KEY, STRANGERS_KEY)
HOSTILE = 'x\n{"level":"error"}\r\x1b[31m\u202e\u2028\x85'
# Those that wait, or send more than a test has time for.
SLOW = {"F08", "F09", "F10", "F41", "F42", "F49", "F56", "F57", "F58", "F63", "F65", "F66", "F72", "F73", "F74", "F84"}
QUICK = [name for name, fault in FAULTS.items() if name not in SLOW and not fault.port]
PLACES = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
QUESTIONS = ("/healthz", "/readyz", "/v1/models", "/v1/catalog", "/v1/usage", "/v1beta/models", "/v1/models/own/model")
HELLO = {"role": "user", "content": f"{PROMPT} {HOSTILE}"}
BODIES: dict[str, dict[str, object]] = {
    "/v1/chat/completions": {"messages": [HELLO], "user": "u", "metadata": {"k": "v"}},
    "/v1/completions": {"prompt": PROMPT},
    "/v1/responses": {"input": PROMPT, "instructions": PROMPT},
    "/v1/messages": {"messages": [HELLO], "max_tokens": 9, "system": PROMPT},
    "/v1/messages/count_tokens": {"messages": [HELLO]},
    "/v1/route": {"messages": [HELLO]},
    "/v1/embeddings": {"input": PROMPT},
}
REFUSED = ({"messages": [HELLO], "temperature": PROMPT}, {"messages": PROMPT}, {"messages": [{"role": PROMPT}]})


class Told(Struct):
    """All bytes that have come out: to callers, and anywhere else, by place."""

    answers: list[bytes] = []
    elsewhere: dict[str, bytes] = {}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Everything that the whole life of a gateway leaves behind."""
    folder = tmp_path_factory.mktemp("canaries")
    key_file = tmp_path_factory.mktemp("keys") / "key"
    key_file.touch(0o600)
    key_file.write_text(FILE_KEY)
    told = Told()
    with stopped_after(simulator := Simulator(folder, "sim-alpha")):
        settings = settings_for(f"http://127.0.0.1:{simulator.ports['sim-alpha']}/v1", key_file)
        gateway = Gateway(folder, settings, {"CANARY": PROVIDER_KEY, "TMPDIR": str(folder)})
        with stopped_after(gateway):
            for number in range(count(1, 10)):
                past_every_fault(gateway, told, number)
                through_every_door(gateway, told)
            for name in PLACES:
                knock(gateway, told, name)
            gateway.child.send_signal(signal.SIGHUP)
            gateway.wait_for("reloaded")
    told.elsewhere = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    told.elsewhere["output"] = "\n".join(gateway.lines).encode()
    return told


def settings_for(url: str, key_file: Path) -> str:
    """A provider for each fault: one that has refused a key is not asked again."""
    providers = {
        f"p-{fault}": {
            "base_url": url,
            "api_key": "env:CANARY" if number % 2 else f"file:{key_file}",
            "headers": {"x-team": HEADER_KEY, "x-steelyard-simulate": fault},
            "models": [{"id": "own/model", "upstream_name": "sim/swift-mini"}],
        }
        for number, fault in enumerate(["OK", *QUICK])
    }
    document = {
        "server": {"log": "debug", "log_format": "json"},
        "keys": [{"name": "bot", "sha256": hashlib.sha256(CALLER_KEY.encode()).hexdigest()}],
        "providers": providers,
    }
    return "".join(f"{name}: {json.dumps(part)}\n" for name, part in document.items())


def key_in(place: str, key: str) -> dict[str, str]:
    return {place: f"Bearer {key}" if place == "authorization" else key}


def past_every_fault(gateway: Gateway, told: Told, number: int) -> None:
    headers = key_in(PLACES[number % len(PLACES)], CALLER_KEY)
    for fault in QUICK:
        for stream in (False, True):
            answer = gateway.chat(PROMPT, model=f"own/model@p-{fault}", stream=stream, headers=headers)
            hear(told, answer)
            if decision := answer.headers.get("x-steelyard-decision"):
                hear(told, gateway.http.get(f"/v1/decisions/{decision}", headers=headers))


def through_every_door(gateway: Gateway, told: Told) -> None:
    headers = key_in("authorization", CALLER_KEY)
    for path in QUESTIONS:
        hear(told, gateway.http.get(path, headers=headers))
    for path, body in BODIES.items():
        for model in ("own/model@p-OK", "nobody", HOSTILE):
            hear(told, gateway.http.post(path, json={**body, "model": model}, headers=headers))
            hear(told, gateway.http.post(f"{path}?key={CALLER_KEY}", json={**body, "model": model}))
    for refused in REFUSED:
        told.answers.append(gateway.http.post("/v1/chat/completions", json=refused, headers=headers).content)
    hear(told, gateway.http.post("/v1/nothing", params={"key": CALLER_KEY}, json={"messages": [HELLO]}))


def knock(gateway: Gateway, told: Told, place: str) -> None:
    """With a key that opens nothing."""
    answer = gateway.chat(PROMPT, headers=key_in(place, STRANGERS_KEY))
    assert answer.status_code == 401
    hear(told, answer)
    hear(told, gateway.http.get(f"/v1/models?key={STRANGERS_KEY}"))


def hear(told: Told, answer: httpx2.Response) -> None:
    told.answers.append(repr(answer.headers.raw).encode() + answer.content)


@pytest.mark.parametrize("key", KEYS, ids=["provider's", "provider's in a file", "header's", "caller's", "stranger's"])
def test_no_key_is_in_any_answer_log_or_file(told: Told, key: str) -> None:
    assert len(told.answers) > 150
    assert sum(map(len, told.answers)) + sum(map(len, told.elsewhere.values())) > count(300_000, 5_000_000)
    assert not [answer for answer in told.answers if key.encode() in answer]
    found = [name for name, data in told.elsewhere.items() if key.encode() in data]
    assert found == (["steelyard.yaml"] if key == HEADER_KEY else [])  # where the operator has put it


def test_a_key_that_a_provider_repeats_is_seen_as_stars(told: Told) -> None:
    assert [answer for answer in told.answers if b"p-F21" in answer and b"***" in answer]


def test_no_prompt_is_in_any_log_or_file(told: Told) -> None:
    assert {"output", "ledger.db"} <= told.elsewhere.keys()
    assert b"own/model@p-F21" in told.elsewhere["output"]
    assert not [name for name, data in told.elsewhere.items() if PROMPT.encode() in data]
    assert not [name for name, data in told.elsewhere.items() if b"Steelyard's simulator, not a model" in data]


def test_every_line_of_the_log_is_one_object(told: Told) -> None:
    lines = [line for line in told.elsewhere["output"].decode().splitlines() if line.startswith("{")]
    assert len(lines) > 100
    for line in lines:
        assert line.isascii()
        assert json.loads(line)["logger"]
