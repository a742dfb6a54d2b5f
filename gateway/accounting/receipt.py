"""The receipt: one record per request, however it ended. Money is integer nano-dollars (1e-9 USD)."""

from msgspec import Struct

from gateway.accounting.carbon import Carbon
from gateway.wire.conversation import Loss
from gateway.wire.decision import Standing
from gateway.wire.delta import Usage


class AttemptRecord(Struct, frozen=True, omit_defaults=True, gc=False):
    """One try of one target."""

    target: str  # "openai/gpt-5@openai"
    # "ok", "cut" (failed after the commit point), "disconnected"; before it "failed", "cancelled" (nobody waits for an
    # answer any more), "outpaced" (another target was asked at the same time, and was faster)
    outcome: str
    seconds: float  # from its start to its end
    first_token_seconds: float | None = None
    status: int | None = None  # the provider's HTTP status, if any answer came
    fault: str = ""  # a `providers.faults.Fault` kind, "" when ok
    detail: str = ""  # one line; redacted
    cost_nano_usd: int = 0
    key: int = 0  # which of the provider's keys, from 1; 0 where there is only one


class Receipt(Struct, frozen=True, gc=False):
    """What happened to one request. Appended to the journal before the last byte leaves, then drained to the ledger."""

    id: str  # the decision's id, "dec_..."
    time: float  # Unix seconds at arrival
    key: str  # name of the caller's key, "" when none is configured
    router: str
    dialect: str
    requested: str  # `model` as the caller wrote it
    target: str  # who answered, "" when nobody did
    model: str
    provider: str
    status: int  # what the caller got
    outcome: str  # "ok", "cut", "failed", "refused" (caller's fault), "disconnected"
    stream: bool
    fallback: bool  # another than the first choice answered, or was asked when nobody did
    usage: Usage
    cost_nano_usd: int | None  # of the answer, and of attempts that were outpaced; None: no price known
    cost_estimated: bool
    carbon_g: float | None
    seconds: float  # arrival to the last byte
    first_token_seconds: float | None
    overhead_seconds: float  # our own share before the first upstream byte is sent, plus between its answer and ours
    task: str
    session: str
    catalog_version: str
    attempts: tuple[AttemptRecord, ...] = ()
    standings: tuple[Standing, ...] = ()  # the winner first, then the others of the plan
    margin: float | None = None  # winner's score minus the runner-up's
    excluded: dict[str, int] = {}  # reason -> number of targets
    losses: tuple[Loss, ...] = ()  # of the request, in the format of who answered
    input_tokens_estimate: int = 0  # what the decision was made with
    output_tokens_estimate: int = 0
    decided: bytes = b""  # `routing.replayable`: what it takes to decide again; b"": nothing was, or cannot be
    finish: str = ""  # why the answer ended, in the words of the format it came in
    malformed_call: bool = False  # the arguments of a tool call were no JSON object; looked at with `learning.implicit`
    carbon: Carbon | None = None  # how `carbon_g` came about; None when it is not known, or nothing was used
    wording: bytes = (
        b""  # `core.representation` of the prompt, no text; b"" without learning, and where structure tells the task
    )
    explored: bool = False  # the first choice was asked to learn of it, and not for its score
    language: str = ""  # ISO 639-1 code of what was asked last; "" where it is not clear
    learned_weights: str = ""  # the version of them that it was decided with; "" for the catalog alone
