"""The file that `steelyard init` writes: every setting with its default and meaning, commented out, from the schema."""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import NODEFAULT, Struct

from gateway.settings.reference import Setting, settings_of
from gateway.settings.schema import (
    CatalogSettings,
    LearningSettings,
    LedgerSettings,
    MetadataSettings,
    ModelSettings,
    ProviderSettings,
    RouterSettings,
    ServerSettings,
)

EXAMPLE_ROUTER = """\
# Routers. auto, fast, economy, quality and green exist already; define your own here, or change one by its name.
# weights: cost, latency, quality, availability, carbon; they are scaled to sum to 1.
# Or say what things are worth, and the score is money: worth: {quality_point_usd: 0.001, second_usd: 0.0005}
#routers:
#  support:
#    description: Answers to customers, quick and good enough
#    weights: {latency: 0.5, quality: 0.3, cost: 0.2}
"""


def commented_settings(found_keys: Mapping[str, str]) -> str:
    """A settings file that changes nothing until it is edited. found_keys: provider -> the variable with its key."""
    parts = [
        "# Steelyard's settings. Everything is optional; what is commented out shows the default, and taking the #",
        "# away (nothing else) makes it yours. steelyard check validates it; a running server follows its changes.\n",
        EXAMPLE_ROUTER + block_text(RouterSettings, 4, skip=("worth",)),
        *providers_text(found_keys),
        "# Keys of your callers; steelyard keys new NAME makes one. Without any only this machine is served.\n"
        "#keys:\n#  - {name: support-bot, sha256: …, routers: [support]}\n",
        "# Names that callers use -> router, model or target; '*' is every name that nobody knows.\n"
        "#aliases: {gpt-4o: openai/gpt-5-mini, '*': auto}\n",
        *(f"#{name}:  # {(block.__doc__ or '').strip()}\n{block_text(block, 2)}" for name, block in BLOCKS.items()),
    ]
    return "\n".join(parts)


BLOCKS: dict[str, type[Struct]] = {
    "server": ServerSettings,
    "catalog": CatalogSettings,
    "ledger": LedgerSettings,
    "learning": LearningSettings,
    "metadata": MetadataSettings,
}


def providers_text(found_keys: Mapping[str, str]) -> Iterator[str]:
    """Providers with a key in the environment, then how to add others."""
    yield "# Providers. Those of the table are live as soon as their key is in the environment; the file can say more."
    yield "#providers:"
    for provider, variable in found_keys.items():
        yield f"#  {provider}:  # live already: {variable} is set\n#    api_key: env:{variable}"
    yield "#  my-vllm:  # a server of your own, by URL\n#    base_url: http://127.0.0.1:8000/v1"
    yield block_text(ProviderSettings, 4, skip=("base_url", "models")).rstrip("\n")
    yield "#    models:\n#      - id: qwen/qwen3-32b\n" + block_text(ModelSettings, 8, skip=("id",))


def block_text(block: type[Struct], indent: int, skip: tuple[str, ...] = ()) -> str:
    """The simple settings of a block, commented out, with their defaults."""
    return "".join(
        line_text(one, indent)
        for one in settings_of(block)
        if one.name not in (*skip, "description", "weights") and one.default is not NODEFAULT
    )


def line_text(one: Setting, indent: int) -> str:
    if isinstance(one.default, Struct):
        inner = "".join(line_text(part, indent + 2) for part in settings_of(type(one.default)))
        return f"#{' ' * indent}{one.name}:  # {one.meaning}\n{inner}"
    value = "" if one.default is None else msgspec.json.encode(one.default).decode()
    return f"#{' ' * indent}{one.name}: {value}  # {one.meaning}\n"
