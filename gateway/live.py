"""The Snapshot that requests are served from, and the single place where it is swapped."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from core.scorer import Scorer
from gateway.catalog.card import Catalog
from gateway.catalog.columns import Targets
from gateway.execution.health import Health
from gateway.execution.lines import Line
from gateway.providers.provider import Provider
from gateway.routing.describe import Profile, describe
from gateway.routing.policy import Policy
from gateway.routing.replayable import Packer
from gateway.routing.selection import Selector
from gateway.settings.schema import Settings
from gateway.wire.prompt import Prompt


class Market(Struct, frozen=True):
    """Targets that can stand in for each other in kind, with all that it takes to choose among them and to ask one."""

    targets: Targets
    scorer: Scorer
    policies: Mapping[str, Policy]
    selector: Selector
    lines: tuple[Line, ...]  # one per target
    health: Health
    packer: Packer


class Snapshot(Struct, frozen=True):
    """Settings, catalog, markets and providers of one moment. A request keeps the one it began with to its end."""

    settings: Settings
    catalog: Catalog
    providers: Mapping[str, Provider]  # live ones
    absent: Mapping[str, str]  # provider -> why it is not live
    chat: Market  # models that answer conversations
    embeddings: Market  # models that turn texts into vectors
    describe: Callable[[Prompt], Profile] = describe  # what a conversation asks for, by all that was learned
    warnings: tuple[str, ...] = ()  # what the settings say to no effect


class Live:
    """Holds the current Snapshot. Listeners hear of each swap after it has happened."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.current = snapshot
        self.generation = 1
        self._listeners: list[Callable[[Snapshot], None]] = []

    def swap(self, snapshot: Snapshot) -> None:
        """Serve new requests from `snapshot`; what health had learned goes along, unless the provider changed."""
        before = self.current.providers
        changed = {name for name, provider in snapshot.providers.items() if provider != before.get(name)}
        snapshot.chat.health.adopt(self.current.chat.health, changed)
        snapshot.embeddings.health.adopt(self.current.embeddings.health, changed)
        self.current = snapshot
        self.generation += 1
        for listener in self._listeners:
            listener(snapshot)

    def on_swap(self, listener: Callable[[Snapshot], None]) -> None:
        """Call `listener` with each snapshot that comes after the current one."""
        self._listeners.append(listener)
