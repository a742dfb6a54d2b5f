"""One request on its way: what it needs, and what has happened to it so far."""

from time import monotonic

from msgspec import Struct

from gateway.accounting.receipt import AttemptRecord
from gateway.dialects.codec import Asked
from gateway.execution.health import Health
from gateway.execution.hedge_budget import HedgeBudget
from gateway.execution.lines import Line
from gateway.execution.retry_budget import RetryBudget
from gateway.execution.spending import Spent
from gateway.providers.faults import Fault
from gateway.routing.plan import Decision
from gateway.routing.replayable import Packer
from gateway.routing.session import NOTHING, Recollection
from gateway.settings.schema import Fallback
from gateway.transport.send import Transport
from gateway.wire.prompt import Prompt

MOST_PASSED_OVER = 16  # targets that would lose something, before the request is refused
FREE_TRIES = 2


class Arrival(Struct, frozen=True, gc=False):
    """When and from whom a request came."""

    id: str  # the decision's id
    unix: float  # seconds
    started: float  # monotonic seconds, at its first byte
    received: float  # monotonic seconds, at its last byte
    key: str  # name of the caller's key, "" when none is configured


class Errand(Struct):
    """A request, with all that it takes to carry it out."""

    arrival: Arrival
    asked: Asked
    decision: Decision
    lines: tuple[Line, ...]
    health: Health
    transport: Transport
    fallback: Fallback
    caller_headers: list[tuple[bytes, bytes]]
    catalog_version: str
    standings: int  # how many candidates the receipt tells of
    retries: RetryBudget
    hedges: HedgeBudget
    packer: Packer
    recollection: Recollection = NOTHING  # of the conversation that the request continues
    attempts: list[AttemptRecord] = []  # in the order in which they ended
    failures: list[tuple[str, Fault]] = []  # target, and why
    failed_providers: set[str] = set()
    too_small: float = 0.0  # tokens: the largest window that was found too small
    sent_at: float = 0.0  # monotonic second of the send that is not known to have failed; 0 when there is none
    waited_seconds: float = 0.0  # spent on attempts that failed
    answered_at: float = 0.0  # monotonic second at which a whole answer had come; 0 for a stream
    is_won: bool = False  # while one of several has begun to answer, and the others are given up
    earlier: list[Spent] = []  # on parts of the answer that broke off, and that somebody went on with
    first_token: float = 0.0  # monotonic second of the first of these parts; 0 when there is none
    outpaced_nano_usd: int | None = 0  # for the prompts of those that were, an estimate; None: a price is not known

    @property
    def prompt(self) -> Prompt:
        """What routing knows of the request."""
        return self.asked.prompt

    @property
    def over_at(self) -> float:
        """Monotonic second after which nobody else is asked, and no answer awaited."""
        return self.arrival.received + self.fallback.total_seconds

    @property
    def written_tokens(self) -> int:
        """Of the parts that broke off: who goes on has to read them."""
        return sum(part.usage.output_tokens for part in self.earlier)

    def may_go_on(self) -> bool:
        """Whether another target may be asked. To pass one over costs a translation, so that has its limit too."""
        passed_over = len(self.failures) - len(self.attempts)
        return len(self.attempts) < self.fallback.max_attempts and passed_over < MOST_PASSED_OVER

    def may_try_on(self) -> bool:
        """Whether the process can spare one more try; the first fallback is always to be had."""
        return len(self.attempts) < FREE_TRIES or self.retries.allows(monotonic())

    def is_fallback(self, column: int | None) -> bool:
        """Whether another than the first choice answered, `column`; when nobody did, whether another was asked."""
        first = self.decision.plan.candidates[0]
        return any(one.target != first.target for one in self.attempts) if column is None else column != first.column

    def overhead_seconds(self) -> float:
        """Our own share: from the request's last byte to the last send (to now, when that failed), and from a whole
        answer to now; less the time spent on attempts that failed.
        """
        now = monotonic()
        before = (self.sent_at or now) - self.arrival.received - self.waited_seconds
        return before + (now - self.answered_at if self.answered_at else 0.0)
