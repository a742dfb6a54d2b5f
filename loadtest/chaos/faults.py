"""The faults of the matrix: what the provider does, and how a request that meets it must end.

The ids and the endings are the project's specification of faults; `docs/simulator.md` says what each does on the wire.
"""

import enum

from msgspec import Struct

TOKENS = 12  # of every answer
TOKENS_BEFORE_BREAK = 5  # the simulator's default of `after`


class Ending(enum.Enum):
    """How a request ends that meets the fault at its first candidate."""

    GOOD = "the answer"  # of the very provider that has the fault
    NEXT = "the next candidate's answer"
    LARGER = "the next candidate's answer, if that one takes more"
    CALLER = "the provider's refusal"  # and nobody else is asked
    CUT = "the beginning, then an error"
    GOOD_OR_NEXT = "an answer"
    GOOD_OR_CUT = "the answer, or its beginning and an error"


class Timer(enum.Enum):
    """Which limit of the gateway ends the wait, where there is one."""

    NONE = "none"
    CONNECT = "connect"
    PATIENCE = "first token"  # of a stream; of a whole answer: what its tokens may take
    IDLE = "idle"
    OWN = "own"  # none: the fault itself takes its time, and there is no latency to compare
    HEAVY = "heavy"  # none: so many bytes that nothing else should go beside it


class Place(enum.Enum):
    """Where the fault is."""

    MODEL = "model"  # asked for by the model's name
    CLOSED = "closed"  # a port that nobody listens on
    NOWHERE = "nowhere"  # a host that does not resolve
    PLAIN = "plain"  # https:// at a port that speaks plain text
    CHOKED = "choked"  # a port whose backlog is full
    RESETTING = "resetting"  # a port that resets every connection


class Row(Struct, frozen=True):
    """One fault, or one variant of it."""

    spec: str  # as the simulator reads it
    whole: Ending
    stream: Ending
    statuses: tuple[int, ...]  # one of these when nobody is left to answer
    whole_timer: Timer = Timer.NONE
    stream_timer: Timer = Timer.NONE
    full: str = ""  # the spec at its real length, where `spec` is a short form
    place: Place = Place.MODEL
    writes: bool = False  # it is in what is written, so it needs a conversation
    is_told: bool = True  # the provider's log shows the call
    own_text: bool = False  # the answer differs from the usual one
    may_add: str = ""  # what may stand behind the text of a stream
    is_repeatable: bool = False  # asked twice in a row: the fault is what the second request finds

    @property
    def is_cut(self) -> bool:
        """Whether its streams break after their first words."""
        return self.stream in (Ending.CUT, Ending.GOOD_OR_CUT)

    @property
    def id(self) -> str:
        """F29; OK for the good path."""
        return self.spec.partition(";")[0]

    def ending(self, stream: bool) -> Ending:
        """Of this kind of request."""
        return self.stream if stream else self.whole

    def timer(self, stream: bool) -> Timer:
        """Of this kind of request."""
        return self.stream_timer if stream else self.whole_timer


GATEWAY = (502, 503, 504)
RATE = (429,)
KEY = (502,)
NONE, CONNECT, PATIENCE, IDLE, OWN, HEAVY = (
    Timer.NONE,
    Timer.CONNECT,
    Timer.PATIENCE,
    Timer.IDLE,
    Timer.OWN,
    Timer.HEAVY,
)
GOOD, NEXT, LARGER, CALLER, CUT = Ending.GOOD, Ending.NEXT, Ending.LARGER, Ending.CALLER, Ending.CUT


def unseen(*specs: str, statuses: tuple[int, ...] = GATEWAY, **more: Place | bool) -> list[Row]:
    """Faults before the first word, however the answer was to come."""
    return [Row(spec, NEXT, NEXT, statuses, **more) for spec in specs]  # type: ignore[arg-type]


def waited(spec: str, full: str = "") -> Row:
    """Silence in place of the first word."""
    return Row(spec, NEXT, NEXT, GATEWAY, PATIENCE, PATIENCE, full)


def good(*specs: str, **more: bool) -> list[Row]:
    """Oddities that an answer survives."""
    return [Row(spec, GOOD, GOOD, (), **more) for spec in specs]  # type: ignore[arg-type]


def survived(*specs: str, **more: bool) -> list[Row]:
    """Strangeness that may be taken for an answer or for a fault, as long as nothing of it escapes."""
    either = Ending.GOOD_OR_NEXT
    return [Row(spec, either, either, GATEWAY, **more) for spec in specs]  # type: ignore[arg-type]


def broken(
    spec: str,
    whole: Ending,
    full: str = "",
    whole_timer: Timer = NONE,
    stream_timer: Timer = NONE,
    stream: Ending = CUT,
) -> Row:
    """A stream that breaks after its first words, and what a whole answer meets instead."""
    return Row(spec, whole, stream, GATEWAY, whole_timer, stream_timer, full)


GOOD_PATH = Row("OK", GOOD, GOOD, ())
TABLE: tuple[Row, ...] = (
    GOOD_PATH,
    *unseen("F01", place=Place.CLOSED, is_told=False),
    *unseen("F02", place=Place.NOWHERE, is_told=False),
    Row("F03", NEXT, NEXT, GATEWAY, CONNECT, CONNECT, place=Place.CHOKED, is_told=False),
    *unseen("F04", place=Place.PLAIN, is_told=False),
    *unseen("F06", place=Place.RESETTING, is_told=False),
    *unseen("F07"),
    waited("F08"),
    Row("F09;delay=200", GOOD, GOOD, (), OWN, OWN, "F09;delay=5000"),
    waited("F09;delay=9000", "F09;delay=40000"),
    waited("F10;gap=100", "F10"),
    *unseen("F11", "F12", "F13", "F13;skew=3600", "F14", "F15", "F16", statuses=RATE),
    *unseen("F15;v=day", statuses=(429, 502)),
    *unseen("F17", "F17;v=anthropic", statuses=KEY),
    *unseen("F18;v=text", "F18;v=huge", "F18;v=neg", "F18;v=nan", "F18;v=zero", "F18;v=many", statuses=RATE),
    *unseen("F19", "F20", "F21", "F21;v=quiet", "F22", "F22;v=region", statuses=KEY),
    *unseen("F23", statuses=(404, 502)),
    *unseen("F24"),
    Row("F25", LARGER, LARGER, (413,)),
    Row("F26", CALLER, CALLER, (400,)),
    Row("F26;v=422", CALLER, CALLER, (422,)),
    *(
        Row(f"F27;v={variant}", LARGER, LARGER, (400,))
        for variant in ("openai", "anthropic", "gemini", "sglang", "llamacpp", "copilot")
    ),
    Row("F28", CALLER, CALLER, (400,)),
    *unseen("F29", "F30", "F31", "F32", "F33", "F34", "F35", "F36", "F37", "F38", "F39", "F39;v=null"),
    *good("F39;v=nousage", "F40"),
    *unseen("F40;v=corrupt", "F40;v=lie"),
    Row("F41;mb=64", NEXT, NEXT, GATEWAY, HEAVY, HEAVY, "F41"),
    Row("F42;mb=64", NEXT, NEXT, GATEWAY, HEAVY, HEAVY, "F42"),
    *unseen("F43", "F44", "F44;v=meta"),
    *good("F45"),
    *survived("F45;v=big"),
    *unseen("F46", "F46;v=cl_te", "F46;v=cl2", "F46;v=badchunk"),
    *good("F47"),
    *good("F48", "F48;v=next", is_repeatable=True),
    waited("F49"),
    *unseen("F50", "F50;v=done"),
    broken("F51", GOOD),
    broken("F51;v=done", GOOD),
    broken("F52", GOOD),
    broken("F53", NEXT),
    broken("F54", NEXT),
    broken("F55", NEXT),
    broken("F56", NEXT, whole_timer=PATIENCE, stream_timer=IDLE),
    waited("F57"),
    waited("F58;gap=100", "F58"),
    broken("F59", GOOD, stream=Ending.GOOD_OR_CUT),
    *good("F60", "F61", "F63", "F64"),
    # What is written after a finish is text all the same: there are servers that say "stop" with every chunk.
    Row("F62", GOOD, GOOD, (), may_add=" late"),
    broken("F65;mb=40", NEXT, "F65", HEAVY, HEAVY),
    broken("F66", NEXT, whole_timer=PATIENCE, stream_timer=HEAVY),
    *good("F67"),
    *survived("F68"),
    *good("F69"),
    broken("F70", NEXT),
    *good("F71", writes=True, own_text=True),
    Row("F72;n=5000", GOOD, GOOD, (), HEAVY, HEAVY, "F72", writes=True, own_text=True),
    Row("F73;gap=50", GOOD, GOOD, (), OWN, OWN, "F73"),
    *good("F74"),
    *good("F75", writes=True, own_text=True),
    *survived("F76;v=neg", "F76;v=huge", "F76;v=float", "F76;v=str", "F76;v=less"),
    *survived("F77", writes=True, own_text=True),
    *survived("F78", writes=True, own_text=True),
)
