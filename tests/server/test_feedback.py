"""Feedback over HTTP, and what is learned from it, by the commands that an operator types."""

import json
import random
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import httpx2
import msgspec
import pytest
from msgspec.structs import replace

from core.features import extract
from core.representation import SIZE
from core.teaching import NOTHING_TAUGHT
from core.wording import Correction, read
from gateway.accounting.feedback import Feedback, FeedbackBook
from gateway.accounting.receipt import Receipt
from gateway.accounting.sqlite_ledger import SqliteLedger
from gateway.learning.held_out import LEAST
from gateway.server.auth import new_key
from gateway.wire.delta import Usage
from tests.cli.commands import steelyard
from tests.running import Gateway, stopped_after

DECODE = msgspec.json.Decoder(Receipt).decode
LEARNING = "learning: {enabled: true, implicit: true}\n"
FAST = {"STEELYARD_SIMULATOR_PACE": "0"}
GOOD, POOR = "sim/coder-mini", "sim/flagship"


class Served(NamedTuple):
    """A server that learns, with two callers."""

    gateway: Gateway
    folder: Path
    keys: tuple[str, str]

    def ask(self, path: str, body: object, key: int = 0) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.keys[key]}"}
        return self.gateway.http.post(path, json=body, headers=headers)

    def decision(self) -> str:
        """Of a request of the first caller."""
        asked = {"model": "auto", "messages": [{"role": "user", "content": "hello"}]}
        return self.ask("/v1/chat/completions", asked).headers["x-steelyard-decision"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("learning")
    (one, first), (two, second) = new_key(), new_key()
    keys = f"keys: [{{name: one, sha256: '{first}'}}, {{name: two, sha256: '{second}'}}]\n"
    gateway = Gateway(folder, LEARNING + keys, FAST)
    with stopped_after(gateway):
        yield Served(gateway, folder, (one, two))


def test_feedback_is_kept_and_a_later_word_takes_its_place(server: Served) -> None:
    asked = server.decision()
    for score in (0.0, 0.75):
        told = server.ask("/v1/feedback", {"decision": asked, "score": score, "task": "reasoning"})
        assert told.json() == {"object": "feedback", "decision": asked, "score": score, "task": "reasoning"}
    with closing(sqlite3.connect(server.folder / ".steelyard" / "ledger.db")) as ledger:
        kept = ledger.execute("SELECT origin, score, task FROM feedback WHERE decision = ?", (asked,)).fetchall()
    assert kept == [("caller", 0.75, "reasoning")]


def test_a_task_may_be_told_without_a_score_and_takes_none_away(server: Served) -> None:
    judged, labelled = server.decision(), server.decision()
    server.ask("/v1/feedback", {"decision": judged, "score": 0.5})
    for decision in (judged, labelled):
        told = server.ask("/v1/feedback", {"decision": decision, "task": "reasoning"})
        assert told.json() == {"object": "feedback", "decision": decision, "score": None, "task": "reasoning"}
    kept(server, labelled)
    said = {one.decision: (one.score, one.task) for one in book(server.folder).judged(0.0)}
    assert said[judged] == (0.5, "reasoning")
    assert labelled not in said
    tasks = [one.task for one in book(server.folder).labelled(0.0, 100)]
    assert tasks.count("reasoning") >= 2


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"decision": "dec_nobody", "score": 1}, 404, "There is no decision 'dec_nobody' of yours"),
        ({"decision": "DECISION", "score": 2}, 400, "score is 2; "),
        ({"decision": "DECISION"}, 400, "There is neither a score nor a task; "),
        ({"decision": "DECISION", "score": 1, "task": "cooking"}, 400, "task is 'cooking'; one of code_generation"),
        ({"decision": "DECISION", "score": 1, "comment": "secret"}, 400, "unknown field `comment`"),
    ],
)
def test_feedback_that_makes_no_sense_is_refused_with_the_way_out(
    server: Served, body: dict[str, object], status: int, told: str
) -> None:
    if body["decision"] == "DECISION":
        body = {**body, "decision": server.decision()}
    refused = server.ask("/v1/feedback", body)
    assert refused.status_code == status
    assert told in refused.json()["error"]["message"]


def test_nobody_may_judge_what_another_has_asked(server: Served) -> None:
    body = {"decision": server.decision(), "score": 0}
    assert [server.ask("/v1/feedback", body, key).status_code for key in (1, 0)] == [404, 200]
    strange = server.gateway.http.post("/v1/feedback", json=body, headers={"authorization": "Bearer sk-unknown"})
    assert strange.status_code == 401


def test_who_does_not_learn_has_nothing_to_learn_from_and_is_told_so(tmp_path: Path) -> None:
    told = steelyard(tmp_path, "learn")
    assert (told.returncode, "learning.enabled is false" in told.stderr) == (2, True)


def book(folder: Path) -> FeedbackBook:
    return FeedbackBook(folder / ".steelyard" / "ledger.db")


DAYS = 10


def history(folder: Path, count: int = 300) -> None:
    """Judged answers of the last days: one model is much better than the catalog says, the other much worse."""
    rng, began = random.Random(1), time.time() - DAYS * 86_400
    ledger, judgements = SqliteLedger(folder / ".steelyard" / "ledger.db"), book(folder)
    receipts = [answered(f"dec_{number}", began + number * 86_000 * DAYS / count, rng) for number in range(count)]
    ledger.write(receipts)
    ledger.close()
    for receipt in receipts:
        share = 0.97 if receipt.model == GOOD else 0.2
        judgements.add(Feedback(receipt.id, receipt.time + 60, float(rng.random() < share)))


def answered(name: str, at: float, rng: random.Random) -> Receipt:
    model = rng.choice((GOOD, POOR))
    return Receipt(
        id=name,
        time=at,
        key="",
        router="auto",
        dialect="openai_chat",
        requested="auto",
        target=f"{model}@sim-alpha",
        model=model,
        provider="sim-alpha",
        status=200,
        outcome="ok",
        stream=False,
        fallback=False,
        usage=Usage(10, output_tokens=10),
        cost_nano_usd=1,
        cost_estimated=False,
        carbon_g=None,
        seconds=1.0,
        first_token_seconds=None,
        overhead_seconds=0.0,
        task="chat",
        session="",
        catalog_version="1",
    )


def quality(folder: Path, model: str) -> tuple[float, float | None]:
    """Of a chat, by the settings in this folder: the figure, and what of it was learned."""
    record = json.loads(steelyard(folder, "explain", "hello there", "--model", model, "--json").stdout)
    candidate = record["candidates"][0]
    return candidate["dimensions"]["quality"]["figure"], candidate["learned_quality"]


def test_what_is_learned_is_used_shown_and_taken_back(tmp_path: Path) -> None:
    (tmp_path / "steelyard.yaml").write_text("learning: {enabled: true}\ncatalog: {refresh: false}\n")
    history(tmp_path)
    assert "nothing was kept" in steelyard(tmp_path, "learn", "--dry-run").stdout
    before, nothing = quality(tmp_path, POOR)
    assert nothing is None
    learned = steelyard(tmp_path, "learn")
    assert "better beyond the error bar" in learned.stdout, learned.stdout + learned.stderr
    listed = json.loads(steelyard(tmp_path, "weights", "list", "--json").stdout)
    (version,) = listed["versions"]
    assert (listed["in_use"], version["outcomes"]) == (version["name"], 300)
    after, change = quality(tmp_path, POOR)
    assert after < before - 0.1
    assert change == pytest.approx(after - before, abs=1e-5)
    explained = steelyard(tmp_path, "explain", "hello there", "--json").stdout
    assert json.loads(explained)["learned_weights"] == version["name"]
    assert f"with the learned weights {version['name']}" in steelyard(tmp_path, "explain", "hello there").stdout
    wrong = steelyard(tmp_path, "weights", "use", "nobody")
    assert (wrong.returncode, version["name"] in wrong.stderr) == (2, True)
    assert "the catalog alone is in use" in steelyard(tmp_path, "weights", "use", "none").stdout
    assert quality(tmp_path, POOR) == (before, None)


GREETINGS = ("hello there", "hi, how are you?", "good morning to you", "hey, what's up")


def labelled(folder: Path, count: int = 120) -> None:
    """Greetings of the last days, which here are to be translated, as their callers say."""
    began = time.time() - DAYS * 86_400
    ledger, judgements = SqliteLedger(folder / ".steelyard" / "ledger.db"), book(folder)
    for number in range(count):
        focus = json.dumps(f"{GREETINGS[number % 4]} {'again ' * (number % 3)}").encode()
        wording = read(b"", focus, extract([focus], 0), Correction(NOTHING_TAUGHT)).representation
        at = began + number * 86_000 * DAYS / count
        one = replace(answered(f"dec_{number}", at, random.Random(number)), wording=wording)
        ledger.write([one])
        judgements.add(Feedback(one.id, at + 60, 1.0, task="translation"))
    ledger.close()


def test_what_labels_teach_of_tasks_is_used_shown_and_taken_back(tmp_path: Path) -> None:
    (tmp_path / "steelyard.yaml").write_text("learning: {enabled: true}\ncatalog: {refresh: false}\n")
    labelled(tmp_path)
    learned = steelyard(tmp_path, "learn").stdout
    assert "tasks better beyond the error bar" in learned
    assert re.search(r"right in \d+% of them before, and is in 100% now", learned)
    asked = json.loads(steelyard(tmp_path, "explain", "hello there", "--json").stdout)["request"]
    assert (asked["task"], next(iter(asked["tasks"])), next(iter(asked["tasks_unlearned"]))) == (
        *["translation"] * 2,
        "chat",
    )
    assert "translation" in steelyard(tmp_path, "explain", "hello there").stdout.partition("by the wording alone")[0]
    elsewhere = json.loads(steelyard(tmp_path, "explain", "Fix this: def f(x) retrun x", "--json").stdout)["request"]
    assert elsewhere["task"] == "code_editing"
    steelyard(tmp_path, "weights", "use", "none")
    back = json.loads(steelyard(tmp_path, "explain", "hello there", "--json").stdout)["request"]
    assert (back["task"], back["tasks_unlearned"]) == ("chat", None)


def kept(server: Served, decision: str) -> bytes:
    """The receipt's document. It is drained in the background, which goes on while more is asked."""
    find = "SELECT json FROM detail JOIN receipt USING (number) WHERE id = ?"
    with closing(sqlite3.connect(server.folder / ".steelyard" / "ledger.db")) as ledger:
        while (found := ledger.execute(find, (decision,)).fetchone()) is None:
            server.decision()
    document: bytes = found[0]
    return document


def test_what_is_kept_of_a_request_holds_none_of_its_text(server: Served) -> None:
    asked = server.decision()
    server.ask("/v1/feedback", {"decision": asked, "score": 1, "task": "chat"})
    document = kept(server, asked)
    assert (len(DECODE(document).wording), b"hello" in document) == (SIZE, False)
    assert "chat" in [one.task for one in book(server.folder).labelled(0.0, 10) if len(one.wording) == SIZE]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("limit", "is_malformed"), [(1_000, False), (2, True)], ids=["in full", "cut short"])
def test_a_tool_call_that_nobody_can_carry_out_is_noted(
    server: Served, stream: bool, limit: int, is_malformed: bool
) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    asked = {
        "model": GOOD,
        "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": parameters}}],
        "tool_choice": "required",
        "stream": stream,
        "max_tokens": limit,
    }
    answer = server.ask("/v1/chat/completions", asked)
    assert "weather" in answer.text
    receipt = DECODE(kept(server, answer.headers["x-steelyard-decision"]))
    assert (receipt.outcome, receipt.malformed_call, receipt.wording) == ("ok", is_malformed, b"")


def test_a_running_server_follows_what_is_taken_into_use(tmp_path: Path) -> None:
    history(tmp_path, 2 * LEAST)
    gateway = Gateway(tmp_path, "learning: {enabled: true}\n", FAST)
    with stopped_after(gateway):
        asked = {"model": POOR, "messages": [{"role": "user", "content": "hello there"}]}
        before = gateway.http.post("/v1/route", json=asked).json()["candidates"][0]
        told = steelyard(tmp_path, "learn").stdout
        assert "the server follows within two seconds" in told
        gateway.wait_for("reloaded: generation 2")
        after = gateway.http.post("/v1/route", json=asked).json()["candidates"][0]
        assert before["learned_quality"] is None
        assert after["learned_quality"] < -0.05
