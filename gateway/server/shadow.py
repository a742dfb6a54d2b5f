"""Shadow evaluation: a second model answers some requests as well, and a judge compares, under a budget of money.

All of it happens when the caller has his answer. Texts are held in memory until then, and written down nowhere: what
stays is two receipts and two scores. One worker of a host does it for all, so that there is one budget.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from random import Random, random
from time import time

from gateway.accounting.feedback import Feedback, FeedbackBook
from gateway.accounting.receipt import Receipt
from gateway.dialects.formats import CHAT
from gateway.errors import GatewayError, LedgerUnavailable
from gateway.execution.aside import carry_aside, of_nobody
from gateway.execution.errand import Errand
from gateway.execution.retry_budget import RetryBudget
from gateway.learning.day_budget import DayBudget
from gateway.learning.judging import verdict_in
from gateway.live import Snapshot
from gateway.routing.plan import Decision
from gateway.server.shadow_calls import (
    LONGEST_REQUEST,
    MOST_BYTES,
    Sample,
    Unfit,
    judge_errand,
    rival,
    shadow_errand,
    words_in,
    words_told,
)
from gateway.settings.names import JUDGE, SHADOW

log = logging.getLogger("steelyard")

MOST_SAMPLES = 16  # held at once
MOST_PAID = 4  # evaluations at once that cost money: by so many the budget may be passed


class Shadows:
    """Draws samples, and evaluates them in the background."""

    def __init__(
        self, place: Path, record: Callable[[Receipt, Decision | None], None], is_calm: Callable[[], bool], workers: int
    ) -> None:
        """place: of the ledger. is_calm: whether there is room for more than what callers ask.

        workers: of this host, whose requests are drawn here; 0 where another worker does it.
        """
        self.share = 0.0  # of the requests that come here
        self.outcomes: Counter[tuple[str, ...]] = Counter()
        self._book = FeedbackBook(place)
        self._budget = DayBudget(place)
        self._record = record
        self._is_calm = is_calm
        self._workers = workers
        self._retries = RetryBudget()
        self._held = 0
        self._turn = asyncio.Semaphore(MOST_PAID)
        self._tasks: set[asyncio.Task[None]] = set()

    def follow(self, snapshot: Snapshot) -> None:
        """Go by these settings from now on."""
        self.share = min(1.0, snapshot.settings.learning.shadow.share * self._workers)

    @property
    def spent_usd(self) -> float:
        """Today, as far as this process knows."""
        return self._budget.spent_usd

    def sample(self, snapshot: Snapshot, errand: Errand) -> Sample | None:
        """The request as one to be evaluated, for the share of requests that are."""
        rules = snapshot.settings.learning.shadow
        if random() >= self.share:  # noqa: S311
            return None
        if rules.routers and errand.decision.policy.name not in rules.routers:
            return None
        if errand.prompt.wishes is not None or len(errand.prompt.body) > LONGEST_REQUEST:
            self._count("unfit")
        elif self._held >= MOST_SAMPLES or not self._is_calm():
            self._count("busy")
        elif self._budget.is_used_up(rules.budget_usd_per_day):
            self._count("over_budget")
        else:
            self._held += 1
            return Sample(snapshot, errand, Random(errand.arrival.id))  # noqa: S311
        return None

    def answered(self, sample: Sample) -> None:
        """The caller has had his answer, or will have none; `column` says which."""
        if sample.column is None:
            self._held -= 1
            return
        task = asyncio.get_running_loop().create_task(self._evaluate(sample, sample.column))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """End what is under way; what was used of providers until then is recorded."""
        self.share = 0.0
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._held -= 1

    def _count(self, outcome: str) -> None:
        self.outcomes[(outcome,)] += 1

    async def _evaluate(self, sample: Sample, first: int) -> None:
        try:
            async with self._turn:
                await self._compare(sample, first)
            self._count("judged")
        except Unfit as why:
            self._count(why.args[0])
        except LedgerUnavailable as error:
            self._count("failed")
            log.warning("decision %s is not evaluated: %s", sample.id, error.message)
        except Exception:  # whatever it is, nobody waits for it
            self._count("failed")
            log.exception("the shadow evaluation of decision %s ended in a fault of ours", sample.id)

    async def _compare(self, sample: Sample, first: int) -> None:
        """first: the column that answered. Raises Unfit, LedgerUnavailable."""
        await self._budget.recall()
        if self._budget.is_used_up(sample.rules.budget_usd_per_day):
            raise Unfit("over_budget")
        own = await asyncio.to_thread(words_told, sample)
        second = rival(sample, first)
        said, shadow = await self._carried(shadow_errand(sample, second, self._retries), SHADOW)
        prompt = sample.errand.prompt
        other = await asyncio.to_thread(words_in, said, prompt.dialect, is_stream=prompt.stream)
        if not other:
            raise Unfit("unanswered")
        is_first = sample.dice.random() < 0.5
        pair = (own, other) if is_first else (other, own)
        models = {sample.errand.decision.targets.offers[column].model for column in (first, second)}
        scores, judge = await self._judged(sample, models, pair)
        mine, others = scores if is_first else scores[::-1]
        await asyncio.to_thread(self._keep, {sample.id: mine, shadow.id: others}, judge)

    async def _judged(
        self, sample: Sample, models: Collection[str], pair: tuple[str, str]
    ) -> tuple[tuple[float, float], str]:
        """How good the two are, and the model that says so. models: which have answered."""
        try:
            errand = judge_errand(sample, models, pair, self._retries)
        except GatewayError as error:
            log.warning("decision %s is not judged: %s", sample.id, error.message)
            raise Unfit("unjudged") from error
        said, receipt = await self._carried(errand, JUDGE)
        scores = verdict_in(words_in(said, CHAT.name, is_stream=False) or "")
        if scores is None:
            log.warning("decision %s is not judged: the reply to %s is no verdict", sample.id, receipt.id)
            raise Unfit("unjudged")
        return scores, receipt.model

    async def _carried(self, errand: Errand, router: str) -> tuple[bytes, Receipt]:
        receipts: list[Receipt] = []

        def record(receipt: Receipt) -> None:
            receipts.append(of_nobody(receipt, router))
            self._budget.pay(receipt.cost_nano_usd or 0)
            self._record(receipts[0], errand.decision)

        said = await carry_aside(errand, MOST_BYTES, record)
        return said, receipts[0]

    def _keep(self, scores: dict[str, float], judge: str) -> None:
        for decision_id, score in scores.items():
            self._book.add(Feedback(decision_id, time(), score, origin=f"judge:{judge}"))
