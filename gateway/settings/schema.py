"""The settings file, as types. They are the validation, the defaults and the reference of every key."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

# Not finite numbers are refused everywhere.
Amount = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Weight = Annotated[float, Meta(ge=0, title="weight")]
Tokens = Annotated[int, Meta(ge=1)]


def said(text: str, *, ge: int | None = None, le: int | None = None) -> Meta:
    """What the reference and the written template say of a setting, and its range."""
    return Meta(description=text, ge=ge, le=le)


class Anchors(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a dimension's utility is 1 and where it is 0, in the dimension's unit."""

    good: Annotated[float, said("the figure at which the utility is 1")]
    bad: Annotated[float, said("the figure at which the utility is 0")]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Hard limits. A target outside is not eligible, and the decision says so."""

    max_cost_usd: Annotated[Amount | None, said("expected cost of one request")] = None
    max_latency_seconds: Annotated[Amount | None, said("expected time to the whole answer")] = None
    max_first_token_seconds: Annotated[Amount | None, said("expected time to the first token")] = None
    min_quality: Annotated[Share | None, said("probability that the answer is good")] = None
    max_carbon_g: Annotated[Amount | None, said("gCO2e of one request")] = None
    max_input_price_usd: Annotated[Amount | None, said("per million tokens")] = None
    max_output_price_usd: Annotated[Amount | None, said("per million tokens")] = None


class Worth(Struct, frozen=True, forbid_unknown_fields=True):
    """What things are worth in money. The score is then USD: what quality is worth, less the price and all else."""

    quality_point_usd: Annotated[
        Amount, said("a hundredth of probability that the answer is good; 0.001 pays 5 cents for 50 points")
    ] = 0.0
    second_usd: Annotated[Amount, said("a second until the answer is useful, sooner for a stream")] = 0.0
    kg_co2e_usd: Annotated[Amount, said("a kilogram of greenhouse gas")] = 0.0
    failed_attempt_usd: Annotated[
        Amount | None, said("an attempt that fails, whoever answers then; 10 seconds when left out")
    ] = None


class Fallback(Struct, frozen=True, forbid_unknown_fields=True):
    """How far a request may travel."""

    max_attempts: Annotated[int, said("targets tried at most; 1 switches fallback off", ge=1, le=32)] = 4
    on_content_filter: Annotated[bool, said("try the next target when a provider filters the content")] = False
    connect_seconds: Annotated[Positive, said("to establish a connection")] = 2.0
    first_token_seconds: Annotated[
        Positive, said("headers and first content; reasoning models get `reasoning_first_token_seconds`")
    ] = 15.0
    reasoning_first_token_seconds: Annotated[Positive, said("the same for reasoning models")] = 120.0
    learned: Annotated[
        bool, said("give a stream's first content less time, where a target has shown that it needs less")
    ] = True
    hedge: Annotated[
        bool,
        said("ask a second target as well while a stream's first content is unusually late; at most 5% more calls"),
    ] = False
    midstream: Annotated[
        Literal["error", "continue"],
        said(
            "a stream that breaks off ends with an error, or goes on at a target that takes the beginning of an answer"
        ),
    ] = "error"
    idle_seconds: Annotated[Positive, said("between two pieces of content")] = 60.0
    total_seconds: Annotated[Positive, said("for the whole request, all attempts included")] = 600.0


class RouterSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One router: what its callers care about, and what they rule out."""

    description: Annotated[str, said("what the router is for; shown by GET /v1/models")] = ""
    preset: Annotated[str, said("start from a built-in router: auto, fast, economy, quality, green")] = ""
    weights: Annotated[
        dict[str, Weight], said("dimension -> weight; at least one above 0; missing ones are the preset's, else 0")
    ] = {}
    anchors: Annotated[
        dict[str, Anchors], said("where the utility of a dimension is 1 and where it is 0; the README has the defaults")
    ] = {}
    worth: Annotated[
        Worth | None, said("USD in place of preset, weights and anchors: the best answer for its money wins")
    ] = None
    limits: Annotated[Limits, said("hard limits: a target outside is not eligible")] = Limits()
    nothing_fits: Annotated[
        Literal["refuse", "nearest"],
        said("when every able target is over a limit: refuse the request, or ask the one that is least over"),
    ] = "refuse"
    allow: Annotated[
        tuple[str, ...], said("patterns of model, provider or target ids: 'anthropic/*', '@groq', 'openai/gpt-5@azure'")
    ] = ()
    deny: Annotated[tuple[str, ...], said("patterns that rule targets out; they win over allow")] = ()
    embeddings: Annotated[
        str, said("the embedding model that the router's name means to POST /v1/embeddings; its hosts compete")
    ] = ""
    min_availability: Annotated[
        Share, said("a target less likely to succeed than this is tried only after all others")
    ] = 0.5
    spread: Annotated[
        Share, said("score distance, with `worth` in USD, within which targets count as equal and share the load")
    ] = 0.0
    explore: Annotated[
        Share,
        said("share of requests that ask a near tie nobody asked of late; never in a tool loop or a conversation"),
    ] = 0.0
    sessions: Annotated[
        bool,
        said("count what a conversation's targets have in their prompt caches, and stay with the one that answered"),
    ] = True
    stay_margin: Annotated[
        Share | None,
        said(
            "score by which another target has to be better for a conversation to move to it; left out: 0.02, or a "
            "point of quality with `worth`"
        ),
    ] = None
    loss: Annotated[
        Literal["report", "refuse"],
        said("what to do with a target whose format cannot say all that is asked for: report it, or never ask there"),
    ] = "report"
    fallback: Annotated[Fallback, said("how far a request may travel, and how long it waits")] = Fallback()


class ModelSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A model that a provider of yours serves. Figures left out come from the catalog when the id is known there."""

    id: Annotated[str, said("'meta-llama/llama-3.3-70b-instruct' or any id of your own")]
    upstream_name: Annotated[str, said("what the server calls it; the id when empty")] = ""
    input_price_usd: Annotated[Amount | None, said("per million tokens")] = None
    output_price_usd: Annotated[Amount | None, said("per million tokens")] = None
    cached_input_price_usd: Annotated[Amount | None, said("per million tokens; the input price when left out")] = None
    context_window: Annotated[Tokens | None, said("tokens, input and output together")] = None
    max_output_tokens: Annotated[Tokens | None, said("tokens")] = None
    abilities: Annotated[tuple[str, ...], said("tools, images, json_mode, json_schema, logprobs, reasoning, ...")] = ()
    embeddings: Annotated[bool, said("it makes vectors of texts, and answers no conversation")] = False
    dimensions: Annotated[Tokens | None, said("length of those vectors")] = None
    quality: Annotated[Share | None, said("probability of a good answer, for all tasks")] = None
    first_token_seconds: Annotated[Amount | None, said("expected time to the first token")] = None
    output_tokens_per_second: Annotated[Positive | None, said("expected speed")] = None


class ProviderSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider: one of the table (by its name) with your key, or a server of your own by URL."""

    base_url: Annotated[str, said("needed for a server that is not in the table")] = ""
    api_key: Annotated[
        str, said("'env:NAME' or 'file:/path', never the key itself; several keys there have commas between")
    ] = ""
    headers: Annotated[dict[str, str], said("sent with every request to it")] = {}
    region: Annotated[str, said("ISO-3 country of its data centre")] = ""
    location: Annotated[str, said("a cloud's place: 'eu-west-1', 'europe-west4'; its own variables when empty")] = ""
    project: Annotated[str, said("a project of Google Cloud; its own variables, or the key file, when empty")] = ""
    api_version: Annotated[str, said("of Azure OpenAI, such as 2024-10-21; empty for the address without one")] = ""
    login: Annotated[
        Literal["", "environment", "machine"],
        said("a cloud's credentials: from the environment even with a base_url, or from the machine that this runs on"),
    ] = ""
    dialect: Annotated[
        Literal["", "openai_chat", "openai_responses", "anthropic_messages", "gemini", "cohere_v2", "ollama"],
        said("the format that it speaks; a provider of the table has its own, a server of yours speaks openai_chat"),
    ] = ""
    assistant_prefix: Annotated[
        Literal["", "plain", "prefix", "partial", "continue_final_message"],
        said("how its models are told to go on with a last message of the assistant; empty: they cannot"),
    ] = ""
    models: Annotated[tuple[ModelSettings, ...], said("what it serves; needed for a server of your own")] = ()
    enabled: Annotated[bool, said("false switches it off, whatever the environment holds")] = True


class CallerKey(Struct, frozen=True, forbid_unknown_fields=True):
    """A key that callers may use, stored as its SHA-256."""

    name: Annotated[str, said("shown in the ledger and in GET /v1/usage")]
    sha256: Annotated[str, said("64 hex digits of the key; `steelyard keys new` prints both")]
    routers: Annotated[tuple[str, ...], said("empty: all")] = ()


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The listener."""

    host: Annotated[str, said("without caller keys only loopback is allowed")] = "127.0.0.1"
    port: Annotated[int, said("listen port; 0 takes a free one", ge=0, le=65_535)] = 8080
    workers: Annotated[int, said("processes that serve; more than one share the port", ge=1, le=64)] = 1
    worker_silence_seconds: Annotated[
        float, said("one of several workers that hangs for so long is ended, and replaced", ge=1)
    ] = 30.0
    max_body_bytes: Annotated[int, said("a larger request is refused with 413", ge=1)] = 33_554_432
    drain_seconds: Annotated[
        Amount, said("after SIGTERM, for what is being answered; then streams end with an error and are billed")
    ] = 600.0
    max_in_flight: Annotated[
        int, said("more requests at once, in all workers together, are refused with 503", ge=1)
    ] = 2_000
    max_connections: Annotated[int, said("more at once are refused with 503; 0: no limit", ge=0)] = 20_000
    max_connections_per_address: Annotated[
        int, said("the same of one IPv4 address or IPv6 /64; loopback has no such limit; 0: no limit", ge=0)
    ] = 4_000
    max_memory_mib: Annotated[
        int,
        said("above 85 % of it nothing new is taken in; 0: that of the container, if it has one", ge=0),
    ] = 0
    log: Annotated[Literal["error", "warning", "info", "debug"], said("the least important message that is logged")] = (
        "info"
    )
    log_format: Annotated[
        Literal["auto", "text", "json"], said("lines for people or for programs; auto: text on a terminal, else JSON")
    ] = "auto"


class CatalogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The catalog of models, and how it keeps itself up to date."""

    refresh: Annotated[bool, said("pull the public sources in the background")] = True
    refresh_hours: Annotated[Positive, said("between two refreshes, give or take a fifth")] = 6.0
    sources: Annotated[dict[str, str], said("source name -> URL, to override where a feed is read from")] = {}
    live_feed: Annotated[
        Literal["none", "openrouter"],
        said("who is asked how fast and available each model's hosts are; with the key of that provider"),
    ] = "none"
    live_feed_seconds: Annotated[Positive, said("between two questions to it, each about one model")] = 2.0
    path: Annotated[str, said("where the refreshed catalog is kept")] = ".steelyard/catalog.json"
    grid_g_per_kwh: Annotated[
        dict[str, Amount], said("ISO-3 country -> gCO2e per kWh of its electricity, before the bundled figures")
    ] = {}


class LedgerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where receipts go."""

    path: Annotated[str, said("the SQLite file")] = ".steelyard/ledger.db"
    journal: Annotated[str, said("folder")] = ".steelyard/journal"
    retention_days: Annotated[int, said("older receipts are deleted; 0 keeps all", ge=0)] = 90


class ShadowSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Shadow evaluation: some requests are answered by a second model as well, and a judge compares the answers."""

    share: Annotated[Share, said("of the requests; 0 switches it off")] = 0.0
    judge: Annotated[str, said("who compares: a model, a target, or a router; it has to write JSON by a schema")] = ""
    budget_usd_per_day: Annotated[
        Amount, said("for second answers and judgements together; a day begins at 0:00 UTC")
    ] = 1.0
    routers: Annotated[
        tuple[str, ...], said("those whose requests may go to a second model and the judge; empty: all")
    ] = ()


class LearningSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is learned from this deployment's own outcomes; no text is ever kept for it."""

    enabled: Annotated[bool, said("take feedback, and count in the learned weights that are in use")] = False
    implicit: Annotated[
        bool,
        said(
            "learn as well from turns that were asked again, from answers that were cut short or refused, and from "
            "tool calls whose arguments are no JSON object"
        ),
    ] = False
    shadow: Annotated[
        ShadowSettings, said("let a judge compare some answers with those of a second model, under a budget")
    ] = ShadowSettings()
    path: Annotated[str, said("folder of the learned weights")] = ".steelyard/weights"


class MetadataSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What answers say about themselves."""

    body: Annotated[bool, said("the `steelyard` object in answers")] = True
    alternatives: Annotated[int, said("runners-up listed in it", ge=0)] = 1
    stream_usage: Annotated[
        Literal["asked", "known", "always"],
        said(
            "who gets the usage of a chat stream: who asks for it; also clients known to need it (OpenClaw); everybody"
        ),
    ] = "known"


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. Every part has defaults: an empty file, or none, is valid."""

    server: Annotated[ServerSettings, said("the listener")] = ServerSettings()
    keys: Annotated[tuple[CallerKey, ...], said("keys of your callers; without any only this machine is served")] = ()
    providers: Annotated[
        dict[str, ProviderSettings], said("providers, by name of the table or by a name of your own with a base_url")
    ] = {}
    routers: Annotated[dict[str, RouterSettings], said("routers, by name")] = {}
    default_router: Annotated[str, said("for requests that name a model, or nothing")] = "auto"
    aliases: Annotated[
        dict[str, str], said("model name that callers use -> router, model id or target id; '*' is every unknown name")
    ] = {}
    catalog: Annotated[CatalogSettings, said("the catalog of models")] = CatalogSettings()
    ledger: Annotated[LedgerSettings, said("where receipts go")] = LedgerSettings()
    learning: Annotated[LearningSettings, said("what is learned from own outcomes")] = LearningSettings()
    metadata: Annotated[MetadataSettings, said("what answers say about themselves")] = MetadataSettings()
