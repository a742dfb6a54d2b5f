"""One request at one provider with all that its reply depends on, and the replies of a provider that is well."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.json import encode

from gateway.simulator.answer import Answer
from gateway.simulator.chat import Chat
from gateway.simulator.complaint import Complaint
from gateway.simulator.embedders import AnyOffer
from gateway.simulator.faces.face import Face
from gateway.simulator.http1 import JSON, LAST_CHUNK, Headers, chunk, head
from gateway.simulator.steps import TURN, End, Send, Steps, Wait
from gateway.simulator.telling import Event, Telling


class Circumstances(Struct, frozen=True):
    """What a reply depends on beside the request: how busy the provider is, and chance."""

    active: int  # requests at this provider now, this one included
    calls_of_key: int  # chat calls with this key at this provider so far, this one included
    chance: float  # [0, 1), seeded: the nth call of a run always draws the same
    now: float  # seconds since the epoch
    date: str  # `now` as the Date header


class Received(Struct, frozen=True):
    """The request as it came over the wire."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    chunks: bool  # the caller understands chunked transfer: HTTP/1.1
    key: str  # bearer token, "" without


class Pace(Struct, frozen=True):
    """How fast answers come: 1 as the offer says, 0 at once; `coalesce`: then also in one write."""

    factor: float
    coalesce: bool = False


class Scene(Struct, frozen=True):
    """Everything that a fault may want to look at."""

    offer: AnyOffer
    face: Face
    chat: Chat
    telling: Telling
    received: Received
    around: Circumstances
    pace: Pace
    parameters: dict[str, str]

    def number(self, name: str) -> float:
        """A parameter whose default is a number; `spec.merged` has seen to it that this one is."""
        return float(self.parameters[name])

    def count(self, name: str) -> int:
        """A parameter that is a whole number, 0 or more."""
        return int(self.number(name))

    def seconds(self, name: str) -> float:
        """A parameter in milliseconds, as seconds; the pace does not change it."""
        return self.number(name) / 1000

    @property
    def answer(self) -> Answer:
        """What the model says."""
        return self.telling.answer

    @property
    def variant(self) -> str:
        """The parameter `v`."""
        return self.parameters["v"]

    @property
    def headers(self) -> Headers:
        """Headers of every reply of this scene."""
        return (("date", self.around.date), ("server", self.offer.provider), ("x-request-id", self.telling.who.id))

    @property
    def first_token_seconds(self) -> float:
        """Time that the model thinks before the first token, at this pace."""
        return self.offer.first_token_seconds * self.pace.factor

    @property
    def seconds_per_token(self) -> float:
        """Time between two tokens, at this pace."""
        return self.pace.factor / self.offer.tokens_per_second

    def events(self) -> list[Event]:
        """The whole stream of the good answer, but for its ending."""
        return self.face.events(self.telling)

    def ending(self) -> bytes:
        """What says that the stream is complete, ready to be sent; b"" in formats that do not say it."""
        return self.framed(self.face.ending(self.telling))

    def document(self) -> bytes:
        """The body of the good answer that is not streamed."""
        return encode(self.face.document(self.telling))

    def error(self, status: int, complaint: Complaint) -> bytes:
        """The body of an error."""
        return self.face.error(status, complaint)

    def stream_head(self, headers: Headers = ()) -> bytes:
        """Status line and headers of a stream; headers: other ones than the format's."""
        extra = headers or self.face.stream_headers
        framing: Headers = (("transfer-encoding", "chunked"),) if self.received.chunks else (("connection", "close"),)
        return head(200, (*self.headers, *extra, *framing))

    def framed(self, data: bytes) -> bytes:
        """`data` as it travels in a body of unstated length. An empty chunk would end it."""
        return chunk(data) if self.received.chunks and data else data

    def stream_end(self) -> Steps:
        """The proper end of a body of unstated length."""
        if self.received.chunks:
            yield Send(LAST_CHUNK)
        else:
            yield End.CLOSE


def whole(scene: Scene, status: int, body: bytes, headers: Headers = (JSON,), tokens: int = 0) -> Send:
    """A complete reply of stated length."""
    sized = (*scene.headers, *headers, ("content-length", str(len(body))))
    return Send(head(status, sized) + body, tokens)


def good(scene: Scene) -> Steps:
    """The reply of a provider that is well."""
    return good_stream(scene) if scene.chat.request.stream else good_document(scene)


def good_document(scene: Scene) -> Steps:
    """All at once, after the time that the model takes for all of it."""
    yield from thinking(scene, scene.answer.output_tokens)
    yield whole(scene, 200, scene.document(), tokens=scene.answer.output_tokens)


def good_stream(scene: Scene) -> Steps:
    """Token by token, at the model's pace."""
    made = scene.events()
    if scene.pace.coalesce and not scene.pace.factor:
        body = b"".join([event.data for event in made]) + scene.face.ending(scene.telling)
        yield Send(scene.stream_head() + scene.framed(body), scene.answer.output_tokens)
    else:
        yield from opened(scene)
        yield from told(scene, made)
        yield Send(scene.ending())
    yield from scene.stream_end()


def opened(scene: Scene, headers: Headers = ()) -> Steps:
    """The head of a stream, once the model is ready to speak."""
    yield from thinking(scene)
    yield Send(scene.stream_head(headers))


def told(scene: Scene, made: Iterable[Event], gap_seconds: float | None = None) -> Steps:
    """`made`, one write each, at the model's pace or `gap_seconds` apart."""
    gap = scene.seconds_per_token if gap_seconds is None else gap_seconds
    pause = Wait(gap) if gap > 0 else TURN
    for event in made:
        yield Send(scene.framed(event.data), event.tokens)
        if event.tokens:
            yield pause


def thinking(scene: Scene, tokens: int = 0) -> Steps:
    """The wait for the first token and for `tokens` more."""
    seconds = scene.first_token_seconds + tokens * scene.seconds_per_token
    if seconds > 0:
        yield Wait(seconds)


def split(made: list[Event], after: int) -> tuple[list[Event], list[Event]]:
    """`made` up to its `after`th token, at most up to its last, and the rest."""
    told_tokens, cut = 0, 0
    for row, event in enumerate(made):
        if event.tokens and told_tokens == after:
            return made[:row], made[row:]
        told_tokens += event.tokens
        if event.tokens:
            cut = row + 1
    return made[:cut], made[cut:]
