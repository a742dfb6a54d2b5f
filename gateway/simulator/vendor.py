"""One simulated provider: it reads a request, decides what goes wrong with it, and makes the reply's steps."""

import time
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec.json import encode

from gateway.simulator.abilities import check_abilities
from gateway.simulator.answer import Answer, Wishes, answer
from gateway.simulator.cache import PrefixCache
from gateway.simulator.chat import BYTES_PER_TOKEN, Chat
from gateway.simulator.complaint import Refusal
from gateway.simulator.dice import Dice
from gateway.simulator.embedders import EMBEDDER_OFFERS, AnyOffer, EmbedderOffer
from gateway.simulator.embedding import EmbeddingChat, embedded
from gateway.simulator.faces.face import Face, Where
from gateway.simulator.faces.misplaced import misplaced
from gateway.simulator.faults.table import Fault, resolved
from gateway.simulator.http1 import JSON, Clock, head
from gateway.simulator.log import Bill, Entry, InputBill
from gateway.simulator.models import OFFERS, SimOffer
from gateway.simulator.prose import Book
from gateway.simulator.scene import Circumstances, Pace, Received, Scene
from gateway.simulator.script import Script
from gateway.simulator.spec import GOOD, Spec, SpecError, parse_spec, spec_for
from gateway.simulator.steps import Send, Steps
from gateway.simulator.telling import Identity, Telling

SIMULATE = b"x-steelyard-simulate"
Sold = TypeVar("Sold", SimOffer, EmbedderOffer)
CREATED = 1767225600  # of every model in /v1/models: 2026-01-01


@dataclass
class Nature:
    """What all providers of one simulator share."""

    seed: int
    pace: Pace
    book: Book
    script: Script = field(default_factory=Script)
    clock: Clock = field(default_factory=Clock)


class Vendor:
    """State of one provider: what it sells, who it has seen, how busy it is."""

    def __init__(self, name: str, nature: Nature) -> None:
        self.name = name
        self.nature = nature
        self.offers: dict[str, SimOffer] = {offer.upstream_name: offer for offer in OFFERS if offer.provider == name}
        self.embedders: dict[str, EmbedderOffer] = {
            offer.upstream_name: offer for offer in EMBEDDER_OFFERS if offer.provider == name
        }
        self.active = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything but the requests that are open."""
        self.cache = PrefixCache()
        self.calls_of_key: dict[str, int] = {}
        self.served = 0
        self.dice = Dice(f"{self.nature.seed} {self.name}".encode())

    def models(self) -> bytes:
        """The answer to GET /v1/models."""
        rows = [
            _row(name, context_length=offer.model.context_window, max_output_tokens=offer.model.max_output_tokens)
            for name, offer in self.offers.items()
        ]
        rows += [
            _row(name, context_length=offer.model.max_input_tokens, dimensions=offer.model.dimensions)
            for name, offer in self.embedders.items()
        ]
        return encode({"object": "list", "data": rows})

    def reply(self, face: Face, where: Where, received: Received, entry: Entry) -> tuple[Steps, Bill | None]:
        """The steps of the reply to a request, and the bill that grows with them. The caller counts `active`."""
        self.served += 1
        chance = self.dice.share()
        entry.id = f"{face.id_prefix}{self.name.removeprefix('sim-')}-{self.served:012d}"
        try:
            chat = face.read(received.body, received.headers, where)
            entry.model, entry.stream = chat.request.model, bool(chat.request.stream)
            return self._played(face, chat, received, entry, chance)
        except SpecError as error:
            refusal = Refusal(400, f"x-steelyard-simulate: {error}", code="invalid_simulation")
        except Refusal as error:
            refusal = error
        return iter([refused(face, refusal)]), None

    def _played(self, face: Face, chat: Chat, received: Received, entry: Entry, chance: float) -> tuple[Steps, Bill]:
        name, colon, suffix = chat.request.model.rpartition(":")
        if not colon:
            name, suffix = suffix, ""
        if isinstance(chat, EmbeddingChat):
            embedder = self._sold(self.embedders, face, name)
            vectors = embedded(chat, embedder)
            fault, parameters = self._fault(embedder, received, suffix, entry)
            scene = self._scene(face, chat, embedder, vectors, received, entry.id, parameters, chance)
            return fault.steps(scene), InputBill(entry, embedder, vectors.prompt_tokens, 0)
        offer = self._sold(self.offers, face, name)
        check_abilities(chat, offer)
        fault, parameters = self._fault(offer, received, suffix, entry)
        said = self._answer(chat, offer, parameters)
        scene = self._scene(face, chat, offer, said, received, entry.id, parameters, chance)
        return fault.steps(scene), Bill(entry, offer, said.prompt_tokens, said.cached_tokens)

    def _sold(self, shelf: dict[str, Sold], face: Face, name: str) -> Sold:
        """What is called `name` among the models of the kind that the format asks for."""
        if name in shelf:
            return shelf[name]
        if name in self.offers or name in self.embedders:
            raise misplaced(face, name)
        message = f"The model `{name}` does not exist or you do not have access to it."
        raise Refusal(404, message, code="model_not_found", param="model")

    def _fault(self, offer: AnyOffer, received: Received, suffix: str, entry: Entry) -> tuple[Fault, dict[str, str]]:
        """What goes wrong, and how."""
        spec = self._spec(offer, received, suffix)
        fault, parameters = resolved(spec)
        entry.fault = "" if fault.id == GOOD else str(spec)
        return fault, parameters

    def _spec(self, offer: AnyOffer, received: Received, suffix: str) -> Spec:
        """What goes wrong: the header says so, or the model's name, or the script, or the offer's habit."""
        if suffix:
            return parse_spec(suffix)
        for header, value in received.headers:
            if header == SIMULATE:
                names = (self.name, offer.model.id, offer.id)
                spec = spec_for(value.decode("latin-1"), names)
                if spec is not None:
                    return spec
        scripted = self.nature.script.spec_for(self.name, offer.upstream_name, received.key, time.monotonic())
        if scripted is not None:
            return scripted
        return self._habit(offer) if offer.habit else Spec(GOOD)

    def _habit(self, offer: AnyOffer) -> Spec:
        """The offer's own temper; its delays go at the simulator's pace."""
        spec = parse_spec(offer.habit)
        if "delay" not in spec.parameters:
            return spec
        delay = float(spec.parameters["delay"]) * self.nature.pace.factor
        return Spec(spec.fault, {**spec.parameters, "delay": f"{delay:g}"})

    def _answer(self, chat: Chat, offer: SimOffer, parameters: dict[str, str]) -> Answer:
        cached = self.cache.cached_bytes(offer.id, chat.prompt, time.monotonic()) // BYTES_PER_TOKEN
        wishes = Wishes(_wish(parameters, "tokens"), _wish(parameters, "calls"))
        return answer(chat, offer.model, self.nature.book, self.nature.seed, cached, wishes)

    def _scene(
        self,
        face: Face,
        chat: Chat,
        offer: AnyOffer,
        said: Answer,
        received: Received,
        reply_id: str,
        parameters: dict[str, str],
        chance: float,
    ) -> Scene:
        now = time.time()
        calls = self.calls_of_key[received.key] = self.calls_of_key.get(received.key, 0) + 1
        return Scene(
            offer=offer,
            face=face,
            chat=chat,
            telling=Telling(said, Identity(reply_id, int(now), chat.request.model), chat.extras),
            received=received,
            around=Circumstances(self.active, calls, chance, now, self.nature.clock.date(now)),
            pace=self.nature.pace,
            parameters=parameters,
        )


def _row(name: str, **figures: int) -> dict[str, object]:
    """A model in /v1/models."""
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "sim", **figures}


def refused(face: Face, refusal: Refusal) -> Send:
    """An error reply to a request that never became a scene."""
    body = face.error(refusal.status, refusal.complaint)
    return Send(head(refusal.status, (JSON, ("content-length", str(len(body))))) + body)


def _wish(parameters: dict[str, str], name: str) -> int | None:
    value = parameters[name]
    if not value:
        return None
    if not value.isdecimal() or not 1 <= int(value) <= 1_000_000:
        raise SpecError(f"{name}={value} is not a whole number from 1 to 1000000")
    return int(value)
