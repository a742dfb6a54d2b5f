"""The feeds: which sources there are, where the public ones live, and which reader reads each."""

from collections.abc import Callable
from functools import partial

from msgspec import Struct

from gateway.catalog.card import Source
from gateway.catalog.records import Reading
from gateway.catalog.sources import aider, ecologits, genai_prices, litellm, livebench, models_dev, openrouter, portkey


class Feed(Struct, frozen=True):
    """One file of one source."""

    name: str  # "portkey/openai": the source, then the file where a source has several
    file: str  # where a folder of raw feeds holds it, plain or with ".gz" added
    source: Source  # as bundled; a refresh sets the date
    read: Callable[[bytes, Source], Reading]
    url: str = ""  # "" for sources that come with the package only


LIVEBENCH_TABLES = ("2025_05_30", "2025_11_25", "2026_01_08")
PORTKEY_PROVIDERS = (
    "anthropic",
    "deepseek",
    "google",
    "groq",
    "mistral-ai",
    "openai",
    "openrouter",
    "vertex-ai",
    "x-ai",
)

MODELS_DEV = Source("models.dev", "https://models.dev/api.json", "f3fc6922", "MIT", "2026-07-02")
OPENROUTER = Source("openrouter", "https://openrouter.ai/api/v1/models", "", "", "2026-05-12")
LITELLM = Source(
    "litellm",
    "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json",
    "litellm 1.109.1",
    "MIT",
    "2026-11-01",
)
GENAI_PRICES = Source("genai-prices", "https://github.com/pydantic/genai-prices", "47df840a", "MIT", "2026-08-21")
PORTKEY = Source("portkey", "https://configs.portkey.ai/pricing/", "f654307e", "MIT", "2026-08-21")
ECOLOGITS = Source("ecologits", "https://ecologits.ai", "ecologits 0.11.3", "MPL-2.0", "2026-10-01")
LIVEBENCH = Source("livebench", "https://livebench.ai", "4bf96c8d", "", "2026-07-01")
AIDER = Source("aider", "https://aider.chat/docs/leaderboards/", "5dc9490b", "Apache-2.0", "2026-05-01")

FEEDS: tuple[Feed, ...] = (
    Feed("models.dev", "models_dev_assembled.json", MODELS_DEV, models_dev.read, MODELS_DEV.url),
    Feed("openrouter", "openrouter_models_snapshot_from_models_dev.json", OPENROUTER, openrouter.read, OPENROUTER.url),
    Feed("litellm", "litellm_model_prices.json", LITELLM, litellm.read, LITELLM.url),
    Feed("genai-prices", "genai_prices/v2_data_slim_2026-08-21.json", GENAI_PRICES, genai_prices.read),
    *(
        Feed(
            f"portkey/{provider}",
            f"portkey/pricing_{provider}.json",
            PORTKEY,
            partial(portkey.read, provider=provider),
            f"https://configs.portkey.ai/pricing/{provider}.json",
        )
        for provider in PORTKEY_PROVIDERS
    ),
    Feed("ecologits/models", "ecologits/models.json", ECOLOGITS, ecologits.read_models),
    Feed("ecologits/mixes", "ecologits/electricity_mixes.json", ECOLOGITS, ecologits.read_mixes),
    *(
        Feed(
            f"livebench/{table}",
            f"quality/livebench_table_{table}.csv",
            LIVEBENCH,
            partial(livebench.read, date=table.replace("_", "-")),
            f"https://livebench.ai/table_{table}.csv",
        )
        for table in LIVEBENCH_TABLES
    ),
    Feed(
        "aider",
        "quality/aider_polyglot_leaderboard.yml",
        AIDER,
        aider.read,
        "https://raw.githubusercontent.com/Aider-AI/aider/main/aider/website/_data/polyglot_leaderboard.yml",
    ),
)
