"""The composition root: the only file that knows every concrete class. Builds the house, serves, follows changes."""

import asyncio
import contextlib
import faulthandler
import gc
import logging
import math
import os
import random
import signal
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from time import monotonic

import msgspec
import uvicorn
from msgspec import Struct
from msgspec.structs import replace

from core.predictor import TASKS
from core.scorer import IMPLEMENTATION, Scorer
from gateway.accounting.drain import Drainer
from gateway.accounting.journal import Journal
from gateway.accounting.places import make_places
from gateway.accounting.sqlite_ledger import SqliteLedger
from gateway.catalog.carbon import located, with_grid
from gateway.catalog.card import Catalog
from gateway.catalog.columns import build_targets, merge
from gateway.catalog.learned import LearnedWeights, correction_of, with_learned
from gateway.catalog.own import OWN_SOURCE, SOURCE, own_models
from gateway.catalog.pull import last_good
from gateway.catalog.refresh import Refresher, Report
from gateway.counters.neighbours import Neighbours
from gateway.errors import SettingsError
from gateway.execution.health import Health
from gateway.execution.lines import lay_lines, way_to
from gateway.learning.store import WeightStore
from gateway.live import Live, Market, Snapshot
from gateway.providers.provider import Provider
from gateway.providers.table import Resolution, load_table, resolve
from gateway.routing.describe import describe
from gateway.routing.embeddings import EmbeddingSelector, for_embeddings
from gateway.routing.policy import PRESETS, compile_policy
from gateway.routing.replayable import Packer
from gateway.routing.selection import Selector
from gateway.server.app import make_app
from gateway.server.crowd import Crowd
from gateway.server.handover import Offer, Taken, place_of, take
from gateway.server.hearsay import listen, live_feed
from gateway.server.listen import netloc, open_shared, open_sockets
from gateway.server.lockdown import lock_down, refuse_root
from gateway.server.memory import open_descriptors, resident_bytes
from gateway.server.protocol import SteelyardProtocol
from gateway.server.shadow_calls import idle_judge
from gateway.server.sharing import catch_up, share
from gateway.server.state import State
from gateway.settings.load import LoadedSettings, load_file, load_text
from gateway.settings.rules import host_rules, is_loopback
from gateway.settings.schema import ServerSettings, Settings
from gateway.settings.shown import quoted
from gateway.settings.watch import content, watch
from gateway.simulator.cards import simulated_catalog, simulated_providers
from gateway.simulator.dialects import simulated_dialects
from gateway.simulator.models import PROVIDERS
from gateway.simulator.spawn import SimulatorProcess, spawn
from gateway.telemetry import logs
from gateway.telemetry.loop_watch import LoopWatch
from gateway.telemetry.metrics import Metrics, Tally
from gateway.transport.logins import Login
from gateway.transport.send import Transport

log = logging.getLogger("steelyard")

DEFAULT_FILE = "steelyard.yaml"
CATALOG = "catalog"  # what workers tell each other of it
FAREWELL_SECONDS = 2.0  # for callers to be told that their answer ends here
PLACE = "STEELYARD_WORKER"  # environment variable that makes a process a worker; a Place
PACE = "STEELYARD_SIMULATOR_PACE"  # environment variable, of the built-in simulator


class Options(Struct, frozen=True):
    """What the command line says; None leaves it to the settings."""

    config: Path | None = None  # None: steelyard.yaml here, if there is one
    host: str | None = None
    port: int | None = None
    take_over: bool = False  # the port of the running server, without losing a connection
    allow_root: bool = False


class Place(Struct, frozen=True):
    """What a worker is told by the process that starts it."""

    number: int
    count: int
    sockets: tuple[int, ...]  # file descriptors to take connections from
    link: int  # file descriptor of the stream to that process
    simulator_ports: dict[str, int] | None = None  # of the built-in simulator, when it stands in


READ_PLACE = msgspec.json.Decoder(Place).decode


def own_place(environ: Mapping[str, str]) -> Place | None:
    """The worker's that we are; None when we serve alone."""
    told = environ.get(PLACE)
    return None if told is None else READ_PLACE(told)


class Running(Struct, frozen=True):
    """What the announcement needs to know of a server that is up."""

    url: str
    snapshot: Snapshot
    simulated: bool
    config: Path | None
    scorer: str
    workers: int = 1


def read_settings(config: Path | None, environ: Mapping[str, str]) -> tuple[LoadedSettings, Path | None]:
    """The settings file named, or the one in this folder, or the defaults. Raises SettingsError with every finding."""
    known = load_table().keys()
    path = config if config is not None else Path(DEFAULT_FILE)
    if config is None and not path.exists():
        return load_text("", DEFAULT_FILE, environ, known), None
    return load_file(path, environ, known), path


def compile_snapshot(
    settings: Settings, catalog: Catalog, environ: Mapping[str, str], simulator_ports: Mapping[str, int] | None
) -> Snapshot:
    """Settings and catalog to everything that requests are served from. Simulated providers join when they run."""
    resolution = resolve(settings, environ)
    providers: dict[str, Provider] = dict(resolution.live)
    cards, offers = own_models(
        {name: settings.providers[name] for name in providers if name in settings.providers}, catalog
    )
    catalog = merge(catalog, cards, offers, {SOURCE: OWN_SOURCE})
    catalog = with_grid(catalog, settings.catalog.grid_g_per_kwh, SOURCE)
    catalog = located(catalog, {name: own.region for name, own in settings.providers.items() if own.region})
    if simulator_ports:
        providers.update(simulated_providers(simulator_ports, simulated_dialects(environ)))
        catalog = merge(catalog, *simulated_catalog())
    learned = WeightStore(Path(settings.learning.path)).current() if settings.learning.enabled else None
    absent = why_absent(settings, resolution)
    try:
        chat = make_market(settings, catalog, providers, environ, absent, learned, embeds=False)
        embeddings = make_market(settings, catalog, providers, environ, absent, None, embeds=True)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    return Snapshot(
        settings=settings,
        catalog=catalog,
        providers=providers,
        absent=resolution.absent,
        chat=chat,
        embeddings=embeddings,
        describe=partial(describe, correction=correction_of(learned)) if settings.learning.enabled else describe,
        warnings=(
            *idle_patterns(chat, embeddings),
            *idle_feed(settings, resolution.absent),
            *idle_judge(settings, chat),
        ),
    )


def make_market(
    settings: Settings,
    catalog: Catalog,
    providers: Mapping[str, Provider],
    environ: Mapping[str, str],
    absent: Mapping[str, str],
    learned: LearnedWeights | None,
    *,
    embeds: bool,
) -> Market:
    """Everything that can be had of one kind. Raises ValueError for a router that makes no sense."""
    apis = {name: provider.apis for name, provider in providers.items()}
    of_kind = catalog.of_kind(embeds=embeds)
    targets = build_targets(of_kind, providers.keys(), TASKS, apis, unserved(of_kind, providers, embeds=embeds))
    if learned is not None:
        targets = with_learned(targets, learned)
    routers = {**PRESETS, **settings.routers}
    if embeds:
        routers = {name: for_embeddings(name, router, of_kind) for name, router in routers.items()}
    policies = {name: compile_policy(name, router, targets) for name, router in routers.items()}
    kind = EmbeddingSelector if embeds else Selector
    return Market(
        targets=targets,
        scorer=Scorer(targets.matrix),
        policies=policies,
        selector=kind(policies, targets, catalog, absent, settings.aliases, settings.default_router),
        lines=lay_lines(targets, providers, environ, catalog),
        health=Health(targets, {name: len(one.keys) for name, one in providers.items() if one.more_keys}),
        packer=Packer(),
    )


def why_absent(settings: Settings, resolution: Resolution) -> Mapping[str, str]:
    """What callers may hear of it: those with keys of their own are not the operator, our environment is not theirs."""
    return dict.fromkeys(resolution.absent, "not set up here") if settings.keys else resolution.absent


def idle_patterns(chat: Market, embeddings: Market) -> tuple[str, ...]:
    """Patterns of the routers' lists that match nothing of either kind."""
    return tuple(
        warning
        for name, policy in chat.policies.items()
        for warning in policy.warnings
        if warning in embeddings.policies[name].warnings
    )


def idle_feed(settings: Settings, absent: Mapping[str, str]) -> tuple[str, ...]:
    """A live feed whose provider is not live, so that nobody lets us ask."""
    name = settings.catalog.live_feed
    return (f"catalog.live_feed: {name} is not asked, for it is not live: {absent[name]}",) if name in absent else ()


def unserved(catalog: Catalog, providers: Mapping[str, Provider], *, embeds: bool) -> frozenset[str]:
    """The offers of one kind that no way of ours reaches, or that a cloud's settings leave out."""
    return frozenset(
        offer.id
        for offer in catalog.offers
        if offer.provider in providers and way_to(providers[offer.provider], offer, embeds=embeds) is None
    )


def logins_of(snapshot: Snapshot) -> frozenset[Login]:
    """What lets us in at the clouds that are set up."""
    return frozenset(provider.login for provider in snapshot.providers.values() if provider.login is not None)


def first_snapshot(settings: Settings, environ: Mapping[str, str]) -> Snapshot:
    """What a server with these settings would serve its first request from. Starts nothing."""
    return snapshot_with(settings, environ, known_catalog(settings))


def snapshot_with(settings: Settings, environ: Mapping[str, str], catalog: Catalog) -> Snapshot:
    """The same with another catalog."""
    ports = None if resolve(settings, environ).live else dict.fromkeys(PROVIDERS, 1)
    return compile_snapshot(settings, catalog, environ, ports)


class House:
    """A running gateway: the snapshot and what may replace it."""

    def __init__(self, options: Options, environ: Mapping[str, str]) -> None:
        self._options = options
        self._environ = environ
        self.first_content = content(options.config or Path(DEFAULT_FILE))
        loaded, self.path = read_settings(options.config, environ)
        self.settings = with_options(loaded.settings, options)
        self.weights = WeightStore(Path(self.settings.learning.path)).pointer
        self.first_weights = content(self.weights)
        self.catalog = known_catalog(self.settings)
        self._ports: Mapping[str, int] | None = None
        self._wanted: asyncio.Queue[Catalog | None] = asyncio.Queue()  # a catalog, or None: the settings
        self.live: Live

    async def open(self, simulator_ports: Mapping[str, int] | None) -> None:
        """Compile the first snapshot."""
        self._ports = simulator_ports
        self.live = Live(self._compile(self.settings, self.catalog))
        # The catalog is some hundred thousand objects that never die; walked by each full collection, they cost
        # requests more than scoring does. What requests make is freed by counting; cycles are rare, so looking for
        # them seldom is enough.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 20)

    @property
    def needs_simulator(self) -> bool:
        """True when no provider is live: then the built-in one stands in."""
        return not resolve(self.settings, self._environ).live

    def ask_reload(self) -> None:
        """Have the settings read again."""
        self._wanted.put_nowait(None)

    def ask_adopt(self, catalog: Catalog, report: Report | None = None) -> None:
        """Have a refreshed catalog taken over."""
        self._wanted.put_nowait(catalog)

    async def follow(self) -> None:
        """Carry out what was asked for, one after the other. Compiling takes tens of milliseconds, hence the thread."""
        while True:
            catalog = await self._wanted.get()
            try:
                await self._reload(catalog)
            except SettingsError as error:
                for finding in error.findings:
                    log.error("not reloaded, the old settings go on serving: %s", finding.partition("\n")[0])
            except (ValueError, OSError) as error:
                log.error("not reloaded, the old settings and catalog go on serving: %s", error)
            except Exception:  # whatever it is, it must not end the server
                log.exception("not reloaded, the old settings and catalog go on serving")

    async def _reload(self, catalog: Catalog | None) -> None:
        """Take over a catalog, or what the settings file says by now."""
        if catalog is None and self.path is not None and not self.path.exists():
            log.warning("%s is gone; the settings last read from it go on serving until it is back", self.path)
            return
        settings = self.settings if catalog is not None else self._read_again()
        for name in needing_restart(self.settings, settings):
            log.warning("%s has changed, which takes effect with the next start only", name)
        snapshot = await asyncio.to_thread(self._compile, settings, catalog or self.catalog)
        self.settings, self.catalog = settings, catalog or self.catalog
        self.live.swap(snapshot)
        warn(snapshot)
        log.info("reloaded: generation %d, catalog %s", self.live.generation, self.catalog.version)
        logs.set_level(settings.server.log)

    def _read_again(self) -> Settings:
        # A file that we have read once must not be replaced by defaults because it went away.
        loaded, self.path = read_settings(self.path or self._options.config, self._environ)
        if loaded.is_blank and self.path is not None:
            raise SettingsError([f"{self.path}: is empty; to go back to the defaults write a comment into it"])
        bound = self.settings.server
        asked = with_options(loaded.settings, self._options).server
        if (asked.host, asked.port) != (bound.host, bound.port):
            log.warning("the server goes on listening on %s:%d; host and port need a restart", bound.host, bound.port)
        # The rules hold for the address that is open, whatever the file says by now.
        return with_options(loaded.settings, Options(host=bound.host, port=bound.port))

    def _compile(self, settings: Settings, catalog: Catalog) -> Snapshot:
        ports = None if resolve(settings, self._environ).live else self._ports  # made-up answers only for want of real
        return compile_snapshot(settings, catalog, self._environ, ports)


def warn(snapshot: Snapshot) -> None:
    """Log what the settings say to no effect."""
    for warning in snapshot.warnings:
        log.warning("%s", warning)


AT_START = ("log_format", "workers", "worker_silence_seconds", "max_connections", "max_connections_per_address")


def needing_restart(before: Settings, after: Settings) -> list[str]:
    """The changed settings that a running server does not follow."""
    return [
        *(f"ledger.{name}" for name in changed(before.ledger, after.ledger)),
        *(f"catalog.{name}" for name in changed(before.catalog, after.catalog) if name != "grid_g_per_kwh"),
        *(f"learning.{name}" for name in changed(before.learning, after.learning) if name == "path"),
        *(f"server.{name}" for name in changed(before.server, after.server) if name in AT_START),
    ]


def changed(before: Struct, after: Struct) -> list[str]:
    return [name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)]


def known_catalog(settings: Settings) -> Catalog:
    """The catalog that a server with these settings starts with: the refreshed one if it is newer than the bundled."""
    return last_good(Path(settings.catalog.path))


async def refresh_catalog(settings: Settings, accept: Collection[str]) -> Report:
    """Pull the public sources once and keep the result. accept: targets whose large price moves are right."""
    return await Refresher(settings.catalog, known_catalog(settings), random.random).refresh_once(accept)


def settings_for(options: Options, environ: Mapping[str, str]) -> Settings:
    """What a server with these options goes by. Raises SettingsError."""
    return with_options(read_settings(options.config, environ)[0].settings, options)


def sockets_for(settings: Settings, options: Options, count: int) -> tuple[list[socket.socket], Taken | None]:
    """The listening sockets for `count` workers: those of the running server when they are to be taken over."""
    server = settings.server
    taken = take(place_of(Path(settings.ledger.path), server.port)) if options.take_over else None
    if taken is not None:
        log.info("taking over from process %d", taken.pid)
        return taken.sockets, taken
    return (open_shared if count > 1 else open_alone)(server.host, server.port, count), None


async def serve(options: Options, announce: Callable[[Running], None]) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingsError when something is wrong that a person can put right."""
    faulthandler.enable()  # whoever ends us with SIGABRT is told where we hung
    house, place = House(options, os.environ), own_place(os.environ)
    settings = house.settings
    async with contextlib.AsyncExitStack() as stack:
        host, taken = settings.server.host, None
        warning = refuse_root(os.geteuid(), host, is_loopback(host), options.allow_root)
        lock_down()
        if place is None:
            sockets, taken = sockets_for(settings, options, 1)
        else:
            sockets = [socket.socket(fileno=descriptor) for descriptor in place.sockets]
        for listener in sockets:
            stack.callback(listener.close)
        make_places(settings.ledger)
        stack.callback(logs.set_up(settings.server.log, settings.server.log_format).close)
        if place is None:
            simulator = await stack.enter_async_context(simulator_if(house.needs_simulator))
            simulator_ports = None if simulator is None else simulator.ports
        else:
            simulator_ports = place.simulator_ports
        await house.open(simulator_ports)
        warn(house.live.current)
        stack.callback(log.info, "stopped")
        ledger = SqliteLedger(Path(settings.ledger.path))
        journal = Journal(Path(settings.ledger.journal))
        drainer = Drainer(journal, ledger, settings.ledger.retention_days)
        drainer.start()
        stack.callback(drainer.stop)
        transport = Transport()
        await transport.open()
        stack.push_async_callback(transport.close)
        transport.wallet.use(logins_of(house.live.current))
        house.live.on_swap(lambda snapshot: transport.wallet.use(logins_of(snapshot)))
        neighbours = Neighbours() if place is None else Neighbours(place.number, place.count)
        tally = Tally()
        state = State(house.live, transport, [journal.append, tally.count, logs.log_request], neighbours)
        stack.push_async_callback(state.shadows.close)
        share(state)
        watch = LoopWatch()
        watch.start()
        stack.callback(watch.stop)
        metrics = Metrics(tally, readings(state, journal, watch), state.shadows.outcomes)
        app = make_app(state, ledger, is_loopback(host), metrics.figures, house.path)
        server = Server(server_config(app, settings.server, neighbours.count), state)
        if warning and neighbours.number == 0:
            log.warning(warning)

        def tell(port: int) -> None:
            announce(
                Running(
                    url=f"http://{netloc(settings.server.host, port)}",
                    snapshot=house.live.current,
                    simulated=simulator_ports is not None,
                    config=house.path,
                    scorer=IMPLEMENTATION,
                    workers=neighbours.count,
                )
            )

        def started(port: int) -> None:
            if place is not None:
                neighbours.when_announced = partial(tell, port)
                neighbours.is_ready()
                return
            if taken is not None:
                taken.confirm()
            offer = Offer(place_of(Path(settings.ledger.path), port), sockets, server.stop)
            offer.open()
            stack.callback(offer.close)
            tell(port)

        server.when_started = started
        await stack.enter_async_context(background(house, server, state))
        if place is not None:
            await stack.enter_async_context(linked(neighbours, socket.socket(fileno=place.link), server))
            await catch_up(state)
        await server.serve(sockets)


def readings(state: State, journal: Journal, watch: LoopWatch) -> Mapping[str, Callable[[], float]]:
    """Where the figures that nobody counts are read."""
    return {
        "steelyard_requests_in_flight": lambda: state.gate.in_flight,
        "steelyard_retries_left": lambda: state.retries.left(monotonic()),
        "steelyard_targets_out": lambda: targets_out(state.live.current, monotonic()),
        "steelyard_loop_long_steps_total": lambda: watch.long_steps,
        "steelyard_loop_longest_step_seconds": lambda: watch.longest_seconds,
        "steelyard_journal_failures_total": lambda: journal.failures,
        "steelyard_journal_spilled": lambda: journal.spilled,
        "steelyard_journal_lost_total": lambda: journal.lost,
        "steelyard_shadow_spent_usd": lambda: state.shadows.spent_usd,
        "process_resident_memory_bytes": resident_bytes,
        "process_open_fds": open_descriptors,
    }


def targets_out(snapshot: Snapshot, now: float) -> int:
    """Targets of both kinds that no request is sent to for now."""
    return sum(int(market.health.view(now).out.sum()) for market in (snapshot.chat, snapshot.embeddings))


@contextlib.asynccontextmanager
async def linked(neighbours: Neighbours, link: socket.socket, server: "Server") -> AsyncIterator[None]:
    """The stream to who started us. When that ends nobody would look after us, so we let our requests end and go."""

    reader = await neighbours.open(link)

    async def listen() -> None:
        await neighbours.listen(reader)
        if not server.should_exit:
            log.warning("the process that started this worker is gone, so the worker stops")
            server.stop()

    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen())
        try:
            yield
        finally:
            listening.cancel()


def open_alone(host: str, port: int, count: int) -> list[socket.socket]:
    """For one worker: nobody else is let in."""
    return open_sockets(host, port)


@contextlib.asynccontextmanager
async def simulator_if(needed: bool) -> AsyncIterator[SimulatorProcess | None]:
    """The built-in simulator as a child process for as long as we serve, if it is needed."""
    if not needed:
        yield None
        return
    pace = simulator_pace(os.environ)
    try:
        process = await spawn(pace=pace)
    except (OSError, RuntimeError, ValueError) as error:  # TimeoutError is an OSError
        why = str(error) or "it took too long"
        raise SettingsError([f"the built-in simulator does not start: {why}; set a provider's key"]) from error
    try:
        yield process
    finally:
        await process.stop()


def simulator_pace(environ: Mapping[str, str]) -> float:
    """1 is real time, 0 as fast as possible. Raises SettingsError."""
    told = environ.get(PACE, "1")
    try:
        pace = float(told)
    except ValueError:
        pace = math.nan
    if not 0 <= pace < math.inf:
        raise SettingsError([f"{PACE} is {quoted(told)}; a number is expected: 1 is real time, 0 as fast as possible"])
    return pace


@contextlib.asynccontextmanager
async def background(house: House, server: "Server", state: State) -> AsyncIterator[None]:
    """Signals, the settings watcher, the catalog refresher, the live feed and fresh tokens, for as long as we serve."""
    neighbours, about = state.neighbours, house.settings.catalog
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.handle_exit, number, None)
    loop.add_signal_handler(signal.SIGHUP, house.ask_reload)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(house.follow())
        renewing = tasks.create_task(state.transport.wallet.keep_fresh())
        tasks.create_task(watch(house.path or Path(DEFAULT_FILE), house.first_content, house.ask_reload, stop))
        tasks.create_task(watch(house.weights, house.first_weights, house.ask_reload, stop))
        if about.live_feed != "none" and neighbours.number == 0:
            tasks.create_task(live_feed(state, about.live_feed_seconds).run_forever(stop))
        elif about.live_feed != "none":
            listen(state)
        if about.refresh and not house.needs_simulator:
            if neighbours.number == 0:  # one worker pulls, all others are told
                refresher = Refresher(about, house.catalog, random.random)
                tasks.create_task(refresher.run_forever(stop, partial(adopt, house, neighbours)))
            else:
                neighbours.on(CATALOG, partial(heard_of_catalog, house))
        try:
            yield
        finally:
            stop.set()
            following.cancel()
            renewing.cancel()


def adopt(house: House, neighbours: Neighbours, catalog: Catalog, report: Report) -> None:
    """Take a refreshed catalog over, here and at the other workers."""
    house.ask_adopt(catalog, report)
    neighbours.tell(CATALOG, b"")


def heard_of_catalog(house: House, said: bytes, sender: int) -> bytes:
    """Another worker has kept a new one where we all look."""
    house.ask_adopt(known_catalog(house.settings))
    return b""


class Server(uvicorn.Server):
    """uvicorn, with our signal handling and a word when it is up."""

    def __init__(self, config: uvicorn.Config, state: State) -> None:
        super().__init__(config)
        self._state = state
        self.when_started: Callable[[int], None] = lambda port: None

    def stop(self) -> None:
        """Let what is being answered end, as the first signal does; not a second time."""
        if not self.should_exit:
            self.handle_exit(signal.SIGTERM, None)

    def handle_exit(self, sig: int, frame: object) -> None:
        """The first signal lets what is being answered end, a second one does not."""
        self.force_exit = self.should_exit
        self.should_exit = True
        if not self.force_exit and (count := self._state.gate.in_flight):
            log.info("stopping when %d in flight have ended; another signal ends them now", count)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are handled by `background`: uvicorn would re-raise them before the ledger is drained."""
        yield

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self.when_started(self.servers[0].sockets[0].getsockname()[1])

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self._state.is_ready = False
        await super().shutdown(sockets)  # type: ignore[arg-type]

    async def _wait_tasks_to_complete(self) -> None:
        """Until what is being answered has ended, for as long as it may; what is left then is ended by us."""
        try:
            async with asyncio.timeout(self._state.live.current.settings.server.drain_seconds):
                await super()._wait_tasks_to_complete()
        except TimeoutError:
            log.warning("%d in flight are ended: server.drain_seconds are over", self._state.gate.in_flight)
        left = list(self.server_state.tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=FAREWELL_SECONDS)


def server_config(app: object, limits: ServerSettings, workers: int) -> uvicorn.Config:
    """workers: that share the limits."""

    most = math.ceil(limits.max_connections / workers)
    most_each = math.ceil(limits.max_connections_per_address / workers)

    class Protocol(SteelyardProtocol):
        crowd = Crowd(most, most_each)

    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        loop="none",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
    )


def with_options(settings: Settings, options: Options) -> Settings:
    """The command line wins over the file, and is held to the same rules."""
    server = settings.server
    port = server.port if options.port is None else options.port
    chosen = replace(settings, server=replace(server, host=options.host or server.host, port=port))
    mistakes = [f"--host {mistake.message}" for mistake in host_rules(chosen)]
    if mistakes:
        raise SettingsError(mistakes)
    return chosen
