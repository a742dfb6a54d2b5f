"""All providers of one process: which request goes to whom, and the control paths under /_sim."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from sys import intern
from urllib.parse import parse_qs

import msgspec
from msgspec.json import encode

from gateway.simulator.complaint import Complaint, Refusal, openai_document
from gateway.simulator.connection import LARGEST_BODY, Connection, Request
from gateway.simulator.faces.face import Face, Where
from gateway.simulator.faces.table import face_at
from gateway.simulator.http1 import JSON, head
from gateway.simulator.log import Bill, Entry, Log
from gateway.simulator.models import PROVIDERS
from gateway.simulator.port import Port
from gateway.simulator.prose import Book
from gateway.simulator.scene import Pace
from gateway.simulator.script import PORT_FAULTS, RULES, Rule
from gateway.simulator.spec import SpecError
from gateway.simulator.steps import Send, Steps
from gateway.simulator.vendor import Nature, Vendor, refused

Answer = tuple[int, bytes]


class World:
    """The state of one simulator process."""

    def __init__(self, providers: tuple[str, ...], *, pace: Pace, seed: int) -> None:
        unknown = [name for name in providers if name not in PROVIDERS]
        if unknown:
            raise ValueError(f"no simulated provider {unknown[0]!r}; there are {', '.join(PROVIDERS)}")
        self.nature = Nature(seed, pace, Book(seed))
        self.vendors = {name: Vendor(name, self.nature) for name in providers}
        self.log = Log()
        self.ports: list[Port] = []
        self.to_attach: asyncio.Queue[Port] = asyncio.Queue()  # ports that listen again, for the tender to accept on
        self._timers: list[asyncio.TimerHandle] = []
        self._accepted = 0

    # --- what connections tell ---

    def accepted(self, connection: Connection) -> int:
        """A new connection; its number."""
        connection.port.connections.add(connection)
        self._accepted += 1
        return self._accepted

    def closed(self, connection: Connection) -> None:
        """A connection is no more."""
        connection.port.connections.discard(connection)

    def left(self, entry: Entry | None) -> None:
        """A request for an answer has ended."""
        if entry is not None:
            self.vendors[entry.provider].active -= 1

    # --- requests ---

    def respond(self, request: Request, connection: Connection) -> tuple[Steps, Entry | None, Bill | None]:
        """The reply to any request; entry and bill for one that wants an answer of a model."""
        path, _, query = request.target.decode("latin-1").partition("?")
        name = connection.port.vendor
        if not name:
            name, path = self._named_in(path)
        spoken = face_at(path, query) if name else None
        if spoken is not None and request.method == b"POST":
            return self._asked(self.vendors[name], *spoken, request, connection)
        status, body = _wrong_method(path, b"POST") if spoken is not None else self._plain(request, name, path, query)
        return iter([Send(head(status, (JSON, ("content-length", str(len(body))))) + body)]), None, None

    def _named_in(self, path: str) -> tuple[str, str]:
        """The provider that the path begins with, and the rest of the path."""
        name, slash, rest = path[1:].partition("/")
        return (name, slash + rest) if name in self.vendors else ("", path)

    def _asked(
        self, vendor: Vendor, face: Face, where: Where, request: Request, connection: Connection
    ) -> tuple[Steps, Entry, Bill | None]:
        entry = self.log.open(vendor.name, connection.number, time.time())
        entry.body_bytes = request.size
        entry.header_names = [intern(name.decode("latin-1")) for name, _ in request.headers]
        vendor.active += 1
        if request.size > LARGEST_BODY:
            return iter([refused(face, Refusal(413, f"The body is over {LARGEST_BODY} bytes."))]), entry, None
        steps, bill = vendor.reply(face, where, request.received(), entry)
        return steps, entry, bill

    def _plain(self, request: Request, name: str, path: str, query: str) -> Answer:
        routes: dict[str, tuple[bytes, Callable[[], Answer]]] = {
            "/healthz": (b"GET", lambda: (200, b'{"status":"ok"}')),
            "/_sim/log": (b"GET", lambda: self._log(name, query)),
            "/_sim/reset": (b"POST", self._reset),
            "/_sim/script": (b"POST", lambda: self._script(b"".join(request.body))),
        }
        if name:
            routes["/v1/models"] = (b"GET", lambda: (200, self.vendors[name].models()))
        if path not in routes:
            return 404, _error(f"Unknown path {path}.", "not_found")
        method, answer = routes[path]
        return answer() if request.method == method else _wrong_method(path, method)

    # --- control ---

    def _log(self, name: str, query: str) -> Answer:
        """A provider's port tells of that provider, the control port of all; ?after=7: of entries after the seventh."""
        after = parse_qs(query).get("after", ["0"])[0]
        return 200, encode(self.log.select(name, int(after) if after.isdecimal() else 0))

    def _reset(self) -> Answer:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self.log = Log()
        self.nature.script.lines.clear()
        for vendor in self.vendors.values():
            vendor.reset()
        for port in self.ports:
            self._recover(port)
        return 200, b"{}"

    def _script(self, body: bytes) -> Answer:
        try:
            rules = RULES.decode(body)
            for rule in rules if isinstance(rules, list) else [rules]:
                self._apply(rule)
        except (msgspec.DecodeError, SpecError) as error:
            return 400, _error(f"script: {error}", "invalid_script")
        return 200, b"{}"

    def _apply(self, rule: Rule) -> None:
        if rule.provider not in ("*", *self.vendors):
            raise SpecError(f"no provider {rule.provider!r} here; there are {', '.join(self.vendors)}")
        line = self.nature.script.add(rule, time.monotonic())
        if line.spec.fault not in PORT_FAULTS:
            return
        for port in self.ports:
            if port.vendor and rule.provider in ("*", port.vendor):
                self._at(rule.from_s, partial(port.fail, line.spec.fault))
                if rule.to_s is not None:
                    self._at(rule.to_s, partial(self._recover, port))

    def _at(self, seconds: float, act: Callable[[], None]) -> None:
        if seconds <= 0:
            act()
        else:
            self._timers.append(asyncio.get_running_loop().call_later(seconds, act))

    def _recover(self, port: Port) -> None:
        port.recover_socket()
        self.to_attach.put_nowait(port)


def _wrong_method(path: str, method: bytes) -> Answer:
    return 405, _error(f"{path} takes {method.decode()}.", "method_not_allowed")


def _error(message: str, code: str) -> bytes:
    return openai_document(Complaint(message, code=code))
