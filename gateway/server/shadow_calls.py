"""What a shadow evaluation reads, whom it asks for a second answer, and what it asks the judge."""

from collections.abc import Collection
from random import Random
from time import monotonic

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from gateway.accounting.feedback import OF_SHADOW
from gateway.catalog.quality import stated_share
from gateway.dialects.codec import Asked, Identity
from gateway.dialects.edits import with_value
from gateway.dialects.formats import CHAT, INBOUND, RESPONSES
from gateway.dialects.told import answer_in
from gateway.errors import UnknownModel
from gateway.execution.aside import aside_of
from gateway.execution.errand import Errand
from gateway.execution.retry_budget import RetryBudget
from gateway.learning.judging import is_readable, question, words_of
from gateway.live import Market, Snapshot
from gateway.routing.plan import among, make_plan, narrowed_to
from gateway.server.limits import Message, Send
from gateway.settings.schema import Settings, ShadowSettings
from gateway.wire.ability import Ability

LONGEST_REQUEST = 2**19  # bytes; what is longer costs more than it teaches
MOST_BYTES = 2**20  # of an answer as its caller gets it, events and all
OF_JUDGE = "-judge"  # behind the id of the decision that is evaluated
KNOWN_WEIGHT = 0.2  # as often a model is drawn whose quality at the task is all stated, as one that is all guessed
SHADOW_ATTEMPTS, JUDGE_ATTEMPTS = 1, 2

UNNAMED = Identity("", 0)  # until it is carried


class Unfit(Exception):
    """No evaluation comes of the sample. `args[0]`: the outcome, for the metrics."""


class Sample(Struct):
    """A request that was drawn, and what its caller is told."""

    snapshot: Snapshot
    errand: Errand
    dice: Random  # thrown by the decision's id, so that it can be thrown again
    pieces: list[bytes] = []
    size: int = 0
    column: int | None = None  # of the target that answered; None until it has, or when several did

    @property
    def id(self) -> str:
        """That of the decision."""
        return self.errand.arrival.id

    @property
    def rules(self) -> ShadowSettings:
        return self.snapshot.settings.learning.shadow

    def copying(self, send: Send) -> Send:
        """Sends, and takes a copy of the answer, as long as it is not too long."""

        async def send_and_copy(message: Message) -> None:
            if message["type"] == "http.response.body":
                self.size += len(message["body"])
                if self.size <= MOST_BYTES:
                    self.pieces.append(message["body"])
            await send(message)

        return send_and_copy


def words_told(sample: Sample) -> str:
    """The answer that the caller had, where a judge can read that and all of the request. Raises Unfit."""
    asked = sample.errand.asked
    if sample.size > MOST_BYTES or asked.inbound.name not in INBOUND:
        raise Unfit("unreadable")
    words = words_in(b"".join(sample.pieces), asked.inbound.name, is_stream=asked.prompt.stream)
    if words is None or not is_readable(asked.conversation):
        raise Unfit("unreadable")
    return words


def words_in(said: bytes, name: str, *, is_stream: bool) -> str | None:
    """What a judge can read of an answer in this format; None when that is not all."""
    answer = answer_in(said, name, is_stream=is_stream)
    return None if answer is None else words_of(answer)


def judge_models(market: Market, judge: str, router: str) -> frozenset[str]:
    """The models that may judge the requests of this router. Raises UnknownModel.

    They go by the rules of the router, unless the judge is a router itself; they have a price, and write JSON by a
    schema.
    """
    selection = market.selector.select(judge, (), router)
    allowed = np.any([leg.allowed for leg in selection.legs], axis=0)
    able = (market.targets.matrix.abilities & int(Ability.JSON_SCHEMA)) != 0
    columns = np.flatnonzero(allowed & able)
    return frozenset(market.targets.offers[column].model for column in columns if market.lines[column].prices.is_priced)


def idle_judge(settings: Settings, market: Market) -> tuple[str, ...]:
    """What is to be said of a judge who cannot judge; nothing where he can, or none is wanted."""
    rules = settings.learning.shadow
    if not rules.share:
        return ()
    routers = rules.routers or tuple(market.policies)
    try:
        idle = [router for router in routers if not judge_models(market, rules.judge, router)]
    except UnknownModel as error:
        return (f"learning.shadow.judge: nothing is judged. {error.message}",)
    told = "has no target there with a price that writes JSON by a schema, so that nothing is judged"
    return (f"learning.shadow.judge: {rules.judge} {told} of {', '.join(idle)}",) if idle else ()


def rival(sample: Sample, first: int) -> int:
    """The column of another model, drawn among those that came near in the decision; the less is known, the likelier.

    first: the column that answered. No rival is who would lose something of the request, has no known price, is in
    doubt, or would leave nobody to judge. Raises Unfit.
    """
    errand = sample.errand
    decision, now = errand.decision, monotonic()
    offers = decision.targets.offers
    try:
        judges = judge_models(sample.snapshot.chat, sample.rules.judge, decision.policy.name) - {offers[first].model}
    except UnknownModel as error:
        raise Unfit("no_judge") from error
    if not judges:
        raise Unfit("no_judge")
    found: dict[str, int] = {}
    for one in decision.plan.candidates:
        is_able = not decision.preferred or one.column in decision.preferred
        is_fit = is_able and not one.last_resort and errand.lines[one.column].prices.is_priced
        if is_fit and errand.health.cooldown(one.column, now) is None and judges != {offers[one.column].model}:
            found.setdefault(offers[one.column].model, one.column)
    found.pop(offers[first].model, None)
    if not found:
        raise Unfit("no_rival")
    columns = list(found.values())
    known = [stated_share(decision.targets.models[column], decision.profile.task) for column in columns]
    return sample.dice.choices(columns, [1.0 - (1.0 - KNOWN_WEIGHT) * share for share in known])[0]


def shadow_errand(sample: Sample, column: int, retries: RetryBudget) -> Errand:
    """The same request, for that target alone. Raises GatewayError."""
    errand = sample.errand
    asked = errand.asked
    if asked.inbound is RESPONSES:  # what that provider is told nothing of, it keeps
        body = with_value(asked.prompt.body, b"store", b"false")
        asked = Asked(replace(asked.prompt, body=body), RESPONSES, UNNAMED)
    decision = among(errand.decision, (column,))
    return aside_of(errand, sample.id + OF_SHADOW, asked, decision, retries, SHADOW_ATTEMPTS, errand.caller_headers)


def judge_errand(sample: Sample, models: Collection[str], pair: tuple[str, str], retries: RetryBudget) -> Errand:
    """The request to the judge, who is none of the models that have answered. Raises GatewayError."""
    errand, market = sample.errand, sample.snapshot.chat
    targets, judge = market.targets, sample.rules.judge
    prompt = CHAT.parse(question(errand.asked.conversation, *pair, judge), judge)
    profile = sample.snapshot.describe(prompt)
    fits = [
        line.prices.is_priced and offer.model not in models
        for line, offer in zip(market.lines, targets.offers, strict=True)
    ]
    selection = market.selector.select(judge, (), errand.decision.policy.name)
    selection = narrowed_to(selection, np.array(fits, np.uint8))
    live = market.health.view(monotonic(), profile.figures.input_tokens)
    decision = make_plan(selection, profile, targets, market.scorer, live, sample.dice.random())
    asked = Asked(prompt, CHAT, UNNAMED)
    return aside_of(errand, sample.id + OF_JUDGE, asked, decision, retries, JUDGE_ATTEMPTS, [])
