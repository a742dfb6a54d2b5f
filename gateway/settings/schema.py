"""The settings file, as types. They are the validation, the defaults and the reference of every key."""

from msgspec import Struct


class Anchors(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a dimension's utility is 1 and where it is 0, in the dimension's unit."""

    good: float
    bad: float


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Hard limits. A target outside is not eligible, and the decision says so."""

    max_cost_usd: float | None = None  # expected cost of one request
    max_latency_seconds: float | None = None  # expected time to the whole answer
    max_first_token_seconds: float | None = None
    min_quality: float | None = None  # 0-1
    max_carbon_g: float | None = None  # gCO2e of one request
    max_input_price_usd: float | None = None  # per million tokens
    max_output_price_usd: float | None = None  # per million tokens


class Fallback(Struct, frozen=True, forbid_unknown_fields=True):
    """How far a request may travel."""

    max_attempts: int = 4  # 1 or more; 1 switches fallback off
    on_content_filter: bool = False  # try the next target when a provider filters the content
    connect_seconds: float = 2.0
    first_token_seconds: float = 15.0  # headers and first content; reasoning models get `reasoning_first_token_seconds`
    reasoning_first_token_seconds: float = 120.0
    idle_seconds: float = 60.0  # between two pieces of content
    total_seconds: float = 600.0


class RouterSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One router: what its callers care about, and what they rule out."""

    description: str = ""
    preset: str = ""  # start from a built-in router: auto, fast, economy, quality, green
    weights: dict[str, float] = {}  # dimension -> 0 or more; at least one above 0; missing ones are the preset's, else 0
    anchors: dict[str, Anchors] = {}
    limits: Limits = Limits()
    allow: tuple[str, ...] = ()  # patterns of model, provider or target ids: "anthropic/*", "@groq", "openai/gpt-5@azure"
    deny: tuple[str, ...] = ()
    min_availability: float = 0.5
    spread: float = 0.0  # score distance within which targets count as equal and share the load, 0-1
    fallback: Fallback = Fallback()


class ModelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A model that a provider of yours serves. Figures left out come from the catalog when the id is known there."""

    id: str  # "meta-llama/llama-3.3-70b-instruct" or any id of your own
    upstream_name: str = ""  # what the server calls it; the id when empty
    input_price_usd: float | None = None  # per million tokens
    output_price_usd: float | None = None
    cached_input_price_usd: float | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    abilities: tuple[str, ...] = ()  # tools, images, json_mode, json_schema, logprobs, reasoning, ...
    quality: float | None = None  # 0-1, for all tasks
    first_token_seconds: float | None = None
    output_tokens_per_second: float | None = None


class ProviderSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider: one of the table (by its name) with your key, or a server of your own by URL."""

    base_url: str = ""  # needed for a server that is not in the table
    api_key: str = ""  # "env:NAME" or "file:/path", never the key itself
    headers: dict[str, str] = {}
    region: str = ""  # ISO-3 country of its data centre
    models: tuple[ModelSettings, ...] = ()
    enabled: bool = True


class CallerKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key that callers may use, stored as its SHA-256."""

    name: str
    sha256: str  # 64 hex digits of the key; `steelyard keys new` prints both
    routers: tuple[str, ...] = ()  # empty: all


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"  # without caller keys only loopback is allowed
    port: int = 8080
    max_body_bytes: int = 33_554_432
    max_in_flight: int = 2_000
    log: str = "info"  # error, warning, info, debug


class CatalogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    refresh: bool = True  # pull the public sources in the background
    refresh_hours: float = 6.0
    sources: dict[str, str] = {}  # source name -> URL, to override where a feed is read from
    path: str = ".steelyard/catalog.json"  # where the refreshed catalog is kept


class LedgerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    path: str = ".steelyard/ledger.db"
    journal: str = ".steelyard/journal"  # folder
    retention_days: int = 90


class MetadataSettings(Struct, frozen=True, forbid_unknown_fields=True):
    body: bool = True  # the `steelyard` object in answers
    alternatives: int = 1  # runners-up listed in it


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. Every part has defaults: an empty file, or none, is valid."""

    server: ServerSettings = ServerSettings()
    keys: tuple[CallerKey, ...] = ()
    providers: dict[str, ProviderSettings] = {}
    routers: dict[str, RouterSettings] = {}
    default_router: str = "auto"
    aliases: dict[str, str] = {}  # model name that callers use -> router, model id or target id
    catalog: CatalogSettings = CatalogSettings()
    ledger: LedgerSettings = LedgerSettings()
    metadata: MetadataSettings = MetadataSettings()
