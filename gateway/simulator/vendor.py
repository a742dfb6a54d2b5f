"""One simulated provider: it reads a request, decides what goes wrong with it, and makes the reply's steps."""

import time
from dataclasses import dataclass, field

from msgspec.json import encode

from gateway.simulator.abilities import check_abilities
from gateway.simulator.answer import Wishes, answer
from gateway.simulator.cache import PrefixCache
from gateway.simulator.chat import BYTES_PER_TOKEN, Chat
from gateway.simulator.complaint import Refusal
from gateway.simulator.dice import Dice
from gateway.simulator.faces.face import Face, Where
from gateway.simulator.faults.table import resolved
from gateway.simulator.http1 import JSON, Clock, head
from gateway.simulator.log import Bill, Entry
from gateway.simulator.models import OFFERS, SimOffer
from gateway.simulator.prose import Book
from gateway.simulator.scene import Circumstances, Pace, Received, Scene
from gateway.simulator.script import Script
from gateway.simulator.spec import GOOD, Spec, SpecError, parse_spec, spec_for
from gateway.simulator.steps import Send, Steps
from gateway.simulator.telling import Identity, Telling

SIMULATE = b"x-steelyard-simulate"
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
            {
                "id": name,
                "object": "model",
                "created": CREATED,
                "owned_by": "sim",
                "context_length": offer.model.context_window,
                "max_output_tokens": offer.model.max_output_tokens,
            }
            for name, offer in self.offers.items()
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
        name, colon, asked = chat.request.model.rpartition(":")
        offer = self._offer(name if colon else chat.request.model)
        check_abilities(chat, offer)
        spec = self._spec(offer, received, asked if colon else "")
        fault, parameters = resolved(spec)
        entry.fault = "" if fault.id == GOOD else str(spec)
        scene = self._scene(face, chat, offer, received, entry.id, parameters, chance)
        bill = Bill(entry, offer, scene.answer.prompt_tokens, scene.answer.cached_tokens)
        return fault.steps(scene), bill

    def _offer(self, name: str) -> SimOffer:
        offer = self.offers.get(name)
        if offer is None:
            message = f"The model `{name}` does not exist or you do not have access to it."
            raise Refusal(404, message, code="model_not_found", param="model")
        return offer

    def _spec(self, offer: SimOffer, received: Received, suffix: str) -> Spec:
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

    def _habit(self, offer: SimOffer) -> Spec:
        """The offer's own temper; its delays go at the simulator's pace."""
        spec = parse_spec(offer.habit)
        if "delay" not in spec.parameters:
            return spec
        delay = float(spec.parameters["delay"]) * self.nature.pace.factor
        return Spec(spec.fault, {**spec.parameters, "delay": f"{delay:g}"})

    def _scene(
        self,
        face: Face,
        chat: Chat,
        offer: SimOffer,
        received: Received,
        reply_id: str,
        parameters: dict[str, str],
        chance: float,
    ) -> Scene:
        now = time.time()
        calls = self.calls_of_key[received.key] = self.calls_of_key.get(received.key, 0) + 1
        cached = self.cache.cached_bytes(offer.id, chat.prompt, time.monotonic()) // BYTES_PER_TOKEN
        wishes = Wishes(_wish(parameters, "tokens"), _wish(parameters, "calls"))
        said = answer(chat, offer.model, self.nature.book, self.nature.seed, cached, wishes)
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
