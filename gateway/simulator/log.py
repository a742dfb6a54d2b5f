"""What the simulated providers received, sent and billed: the truth that tests compare a gateway's ledger with."""

from collections import deque

from msgspec import Struct

from gateway.simulator.embedders import AnyOffer

KEPT = 20_000


class Entry(Struct):
    """One request to a model. Tokens and cost are what was billed: for what was written before the end, by whomever."""

    number: int  # 1, 2, ... since the start or the last reset
    provider: str
    connection: int  # connections are numbered in the order of their acceptance
    id: str = ""  # of the answer; "" when the request could not be read
    model: str = ""  # as the caller named it
    stream: bool = False
    fault: str = ""  # as asked for, "" when well
    status: int = 0  # 0: no answer, or none that is HTTP
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_nano_usd: int = 0
    bytes_sent: int = 0
    body_bytes: int = 0  # of the request
    header_names: list[str] = []
    outcome: str = "open"  # open, done, cut (we ended it early), gone (the caller did)
    started: float = 0.0  # seconds since the epoch
    ended_ms: float | None = None  # since `started`
    gone_ms: float | None = None  # since `started`: when we noticed that the caller had left


class Bill(Struct):
    """What becomes of an entry's figures once tokens are written."""

    entry: Entry
    offer: AnyOffer
    prompt_tokens: int
    cached_tokens: int

    def add(self, tokens: int) -> None:
        """Bill `tokens` of output, and with the first of them the prompt."""
        entry = self.entry
        entry.output_tokens += tokens
        entry.prompt_tokens, entry.cached_tokens = self.prompt_tokens, self.cached_tokens

    def settle(self) -> None:
        """Put the price under what was billed."""
        entry = self.entry
        entry.cost_nano_usd = self.offer.cost_nano_usd(entry.prompt_tokens, entry.cached_tokens, entry.output_tokens)


class InputBill(Bill):
    """Of an embedding request: vectors cost nothing, what was read for them does."""

    def add(self, tokens: int) -> None:
        """Bill the prompt, with the first vector."""
        self.entry.prompt_tokens = self.prompt_tokens


class Log:
    """The latest entries, oldest first."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=KEPT)
        self.received = 0

    def open(self, provider: str, connection: int, started: float) -> Entry:
        """A new entry, already in the log."""
        self.received += 1
        entry = Entry(number=self.received, provider=provider, connection=connection, started=started)
        self.entries.append(entry)
        return entry

    def select(self, provider: str, after: int) -> list[Entry]:
        """Entries of `provider` ("": of all) with a number above `after`."""
        return [entry for entry in self.entries if entry.number > after and provider in ("", entry.provider)]
