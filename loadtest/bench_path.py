"""Where the time of one request goes: every synchronous step of the path by itself, in microseconds.

`python -m loadtest.bench_path` prints the best of five rounds for each step. Loops are kinder than life: caches are
warm and nothing else runs, so the steps add up to less than what the closed loop measures.
"""

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from gateway import bootstrap
from gateway.accounting.journal import Journal
from gateway.dialects.answer import read_answer
from gateway.dialects.codec import Asked, Identity
from gateway.dialects.codecs import codec_of
from gateway.dialects.edits import attach
from gateway.dialects.formats import CHAT
from gateway.dialects.openai_chat import parse
from gateway.execution.attempt import Call, Timing, Whole
from gateway.execution.errand import Arrival, Errand
from gateway.execution.headroom import Headroom
from gateway.execution.hedge_budget import HedgeBudget
from gateway.execution.lines import MOST_WRITTEN
from gateway.execution.outcome import learn, receipt_of_answer, spent_by
from gateway.execution.retry_budget import RetryBudget
from gateway.routing.describe import describe
from gateway.routing.explain import summary
from gateway.routing.session import NOTHING
from gateway.server.decisions import Decisions
from gateway.server.inference import answer_headers, decide
from gateway.server.metadata import cost_header, metadata_of
from gateway.settings.load import load_text
from gateway.simulator.models import PROVIDERS
from gateway.transport.send import Transport

ROUNDS, TIMES = 5, 2_000
REQUEST = (
    b'{"model":"auto","messages":[{"role":"system","content":"You are a helpful assistant that answers in a few words '
    b'only."},{"role":"user","content":"What is the capital of France? Answer in one short sentence, and say why."}]}'
)
ANSWER = (
    b'{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":'
    b'"assistant","content":"' + b"hello world " * 25 + b'"},"finish_reason":"stop"}],"usage":{"prompt_tokens":50,'
    b'"completion_tokens":75,"total_tokens":125}}'
)


def micros(step: Callable[[], object]) -> float:
    """Best of five rounds, microseconds per call."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = perf_counter()
        for _ in range(TIMES):
            step()
        best = min(best, perf_counter() - started)
    return best / TIMES * 1e6


def steps() -> dict[str, Callable[[], object]]:
    """Each step of the path on the simulator's catalog, in the order of a request."""
    settings = load_text("", "none", {}, ()).settings
    ports = dict.fromkeys(PROVIDERS, 1)
    snapshot = bootstrap.compile_snapshot(settings, bootstrap.known_catalog(settings), {}, ports)
    prompt = parse(REQUEST, "auto")
    asked = Asked(prompt, CHAT, Identity("dec_x", 1))
    decision = decide(snapshot.chat, asked, describe(prompt), "", lambda router: None, NOTHING)
    chosen = decision.plan.candidates[0].column
    line = snapshot.chat.lines[chosen]
    codec = codec_of(CHAT, "openai_chat")
    errand = Errand(
        arrival=Arrival("dec_x", 1.0, 1.0, 1.0, ""),
        asked=asked,
        decision=decision,
        lines=snapshot.chat.lines,
        health=snapshot.chat.health,
        transport=Transport(),
        fallback=decision.policy.settings.fallback,
        caller_headers=[],
        catalog_version="",
        standings=2,
        retries=RetryBudget(),
        hedges=HedgeBudget(),
        packer=snapshot.chat.packer,
        sent_at=1.1,
    )
    call = Call(
        chosen,
        line.target,
        line.provider.name,
        line.manner.model,
        line.url,
        None,
        line.headers[0],
        codec,
        asked,
        b"",
        (),
        2.0,
        10.0,
        20.0,
        True,
        (),
        (),
        line.guarded,
        MOST_WRITTEN,
        Headroom(),
        0,
        1,
    )
    whole = Whole(call, Timing(1.0, 1.1, 0.0, 1.2), ANSWER, read_answer(ANSWER))
    spent = spent_by(errand, whole)
    receipt = receipt_of_answer(errand, whole, spent, "ok")
    metadata = metadata_of(receipt)
    journal = Journal(Path(tempfile.mkdtemp()))
    decisions = Decisions()
    return {
        "parse": lambda: parse(REQUEST, "auto"),
        "describe": lambda: describe(prompt),
        "decide, describe included": lambda: decide(
            snapshot.chat, asked, describe(prompt), "", lambda router: None, NOTHING
        ),
        "codec.request": lambda: codec.request(asked, line.manner),
        "read_answer": lambda: read_answer(ANSWER),
        "spent_by": lambda: spent_by(errand, whole),
        "learn": lambda: learn(errand, whole, spent),
        "receipt, summary included": lambda: receipt_of_answer(errand, whole, spent, "ok"),
        "  summary": lambda: summary(decision, chosen, 2),
        "metadata_of": lambda: metadata_of(receipt),
        "attach": lambda: attach(ANSWER, metadata),
        "headers": lambda: [*answer_headers(receipt), *cost_header(receipt.cost_nano_usd)],
        "journal.append": lambda: journal.append(receipt),
        "decisions.keep": lambda: decisions.keep(decision, receipt),
    }


def main() -> None:
    """Print the table."""
    every = steps()
    gc.collect()
    gc.freeze()
    total = 0.0
    for name, step in every.items():
        cost = micros(step)
        total += 0.0 if name.startswith("  ") or name == "describe" else cost
        print(f"{cost:8.2f} µs  {name}")
    print(f"{total:8.2f} µs  together")


if __name__ == "__main__":
    main()
