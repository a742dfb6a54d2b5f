"""The memory of sessions: which target answered last, and which beginning of the conversation it still has warm.

What a provider has in its cache makes staying cheap and leaving dear, so the decision has to know. Nothing of a text is
kept: a beginning is recognised by the lengths of its parts and a hash, which is enough for an estimate of cost.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from core.matrix import MOST_WARM, RequestFigures
from gateway.catalog.caching import CacheRule
from gateway.catalog.columns import Targets
from gateway.wire.delta import Usage
from gateway.wire.prompt import Prompt

MOST_SESSIONS = 100_000
MOST_BRANCHES = 4  # per session: an agent and those that it sends out, each with the target that answered last
LEAST_TOKENS = 1_024.0  # a shorter prompt of no named session is not worth remembering
LEAST_OPENING_BYTES = 4_096  # of a first text, such as a system prompt, that other conversations may share
SAMPLE_BYTES = 128
QUOTE = 0x22
HOUR = 3_600.0  # seconds, the longer of the two times that Anthropic's callers can ask for
TRUST_SHARE = 0.5  # of the newest answer, in what is expected of a cache


class Thread(Struct, frozen=True, gc=False):
    """What a request shows of the conversation that it continues."""

    session: int  # of the caller's conversation
    opening: int  # of the first text alone, 0 when it is short
    texts: tuple[bytes, ...]  # the conversation's, in order; tools come after them
    lengths: tuple[int, ...]
    tokens: float  # of the whole input, by our estimate

    def mark(self, parts: int) -> int:
        """A hash of the first `parts` texts; 1 to all of them."""
        return hash((self.lengths[:parts], self.texts[parts - 1][-SAMPLE_BYTES:]))


class Branch(Struct, frozen=True, gc=False):
    """A beginning of a conversation at the target that has seen it."""

    target: str
    key: int  # the provider's key it was seen with: caches belong to accounts
    parts: int  # texts of the conversation
    mark: int  # of those
    tokens: float  # that it has seen and keeps, by our estimate; 0 when it keeps none
    seconds: float  # for which it keeps them after their last use
    until: float  # monotonic second
    trust: float  # share of what was kept that it has read from its cache so far, 0-1
    writes: bool  # the caller has beginnings written to the cache, and the provider says how much

    @property
    def expected_tokens(self) -> float:
        """That it will read from its cache."""
        return self.tokens * self.trust


class Recollection(Struct, frozen=True, gc=False):
    """What is known of a request's conversation."""

    branches: tuple[Branch, ...] = ()  # one per target, the one that answered last first
    stay: str = ""  # the target that has this very conversation; "" for a new one

    @property
    def writes(self) -> bool:
        """Whether the caller has beginnings written to the cache."""
        return any(branch.writes for branch in self.branches)

    def key_for(self, target: str) -> int | None:
        """The provider's key with which it has the conversation."""
        return next((branch.key for branch in self.branches if branch.target == target), None)


NOTHING = Recollection()


def thread_of(prompt: Prompt, tokens: float, caller: str) -> Thread | None:
    """The conversation of a request; None when there is nothing to gain from knowing it.

    tokens: of the input, by our estimate. caller: sessions of different keys never meet. A client that names no session
    is known by its first two texts: the system prompt and the question that the conversation began with.
    """
    if not prompt.session and tokens < LEAST_TOKENS:
        return None
    texts = conversation(prompt.texts)
    if not texts:
        return None
    first = texts[0]
    opening = (caller, prompt.tool_count, len(first), first[:SAMPLE_BYTES], first[-SAMPLE_BYTES:])
    session = (caller, prompt.session) if prompt.session else (*opening, texts[1:2])
    return Thread(
        session=hash(session),
        opening=hash(opening) if len(first) >= LEAST_OPENING_BYTES else 0,
        texts=texts,
        lengths=tuple(map(len, texts)),
        tokens=tokens,
    )


def conversation(texts: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """All texts up to the last that is a message's: tools and schemas, which follow, are no strings."""
    for index in range(len(texts) - 1, -1, -1):
        if texts[index][0] == QUOTE:
            return texts[: index + 1]
    return ()


class SessionMemory:
    """Bounded, the sessions that were silent longest go first. `now` is monotonic seconds."""

    def __init__(self, most: int = MOST_SESSIONS) -> None:
        self._most = most
        self._sessions: OrderedDict[int, tuple[Branch, ...]] = OrderedDict()
        self.when_noted: Callable[[int, Branch], None] | None = None

    def __len__(self) -> int:
        return len(self._sessions)

    def recall(self, thread: Thread, now: float) -> Recollection:
        """What is known of this conversation, and what of its first text from others."""
        own = tuple(self._continued(thread.session, thread))
        shared = self._continued(thread.opening, thread) if thread.opening else ()
        found: dict[str, Branch] = {}
        for branch in (*own, *shared):
            if branch.target not in found:
                found[branch.target] = branch if branch.until > now else replace(branch, tokens=0.0)
        if not found:
            return NOTHING
        return Recollection(tuple(found.values()), own[0].target if own else "")

    def keep(
        self, thread: Thread, target: str, key: int, usage: Usage, rule: CacheRule | None, ratio: float, now: float
    ) -> None:
        """Take note of an answer. ratio: tokens by the target's count / by our estimate, above 0."""
        before = next((one for one in self._continued(thread.session, thread) if one.target == target), None)
        tokens, seconds, parts = kept_tokens(thread, usage, rule, ratio), 0.0, len(thread.texts)
        if rule is not None:
            asked_for_an_hour = usage.cache_write_1h_tokens > 0 or (before is not None and before.seconds >= HOUR)
            seconds = HOUR if rule.asked_for and asked_for_an_hour else rule.seconds
        branch = Branch(
            target=target,
            key=key,
            parts=parts,
            mark=thread.mark(parts),
            tokens=tokens,
            seconds=seconds,
            until=now + seconds,
            trust=trust_in(before, usage, ratio, now),
            writes=usage.cache_write_tokens > 0 or (rule is not None and rule.asked_for and usage.cached_tokens > 0),
        )
        self._note(thread.session, thread, branch)
        if thread.opening and parts > 1 and tokens > 0:
            share = tokens * thread.lengths[0] / sum(thread.lengths)
            self._note(thread.opening, thread, replace(branch, parts=1, mark=thread.mark(1), tokens=share))

    def _continued(self, place: int, thread: Thread) -> Iterator[Branch]:
        """The branches kept there that this conversation goes on from."""
        parts = len(thread.texts)
        for branch in self._sessions.get(place, ()):
            if branch.parts <= parts and branch.mark == thread.mark(branch.parts):
                yield branch

    def _note(self, place: int, thread: Thread, branch: Branch) -> None:
        """The new branch takes the place of the one that it goes on from, else of the oldest."""
        grown = [one for one in self._continued(place, thread) if one.target == branch.target]
        self._put(place, branch, [one for one in self._sessions.pop(place, ()) if one not in grown])
        if self.when_noted is not None:
            self.when_noted(place, branch)

    def heed(self, place: int, branch: Branch) -> None:
        """Note what another process of this host has seen: the same conversation has the same place there."""
        others = self._sessions.pop(place, ())
        self._put(place, branch, [one for one in others if one.target != branch.target or one.parts > branch.parts])

    def _put(self, place: int, branch: Branch, others: list[Branch]) -> None:
        self._sessions[place] = (branch, *others[: MOST_BRANCHES - 1])
        if len(self._sessions) > self._most:
            self._sessions.popitem(last=False)


def kept_tokens(thread: Thread, usage: Usage, rule: CacheRule | None, ratio: float) -> float:
    """How many tokens of this request its target keeps, by our estimate."""
    if rule is None:
        return 0.0
    marked = (usage.cached_tokens + usage.cache_write_tokens) / ratio
    tokens = min(marked, thread.tokens) if rule.asked_for else thread.tokens
    return tokens if tokens * ratio >= rule.least_tokens else 0.0


def trust_in(before: Branch | None, usage: Usage, ratio: float, now: float) -> float:
    """How much of what is expected of the cache has been read from it: all, as long as nothing is known."""
    if before is None:
        return 1.0
    if usage.estimated or before.until <= now or before.tokens <= 0:
        return before.trust
    read = min(usage.cached_tokens / ratio / before.tokens, 1.0)
    return (1 - TRUST_SHARE) * before.trust + TRUST_SHARE * read


def with_cache(figures: RequestFigures, found: Recollection, targets: Targets) -> RequestFigures:
    """The request's figures with what its conversation has warm where."""
    warm = tuple(
        (column, min(branch.expected_tokens, figures.input_tokens))
        for branch in found.branches[:MOST_WARM]
        if branch.tokens > 0 and (column := column_of(branch.target, targets)) is not None
    )
    return figures._replace(warm=warm, writes=found.writes)


def column_of(target: str, targets: Targets) -> int | None:
    """Where a target stands now; None when it is no longer to be had."""
    columns = targets.by_model.get(target.rpartition("@")[0], ())
    return next((column for column in columns if targets.ids[column] == target), None)
