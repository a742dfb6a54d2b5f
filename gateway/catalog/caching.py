"""How providers keep the beginnings of prompts: from how many tokens on, for how long, and whether one has to ask."""

from fnmatch import fnmatchcase

from msgspec import Struct

from gateway.catalog.card import Offer


class CacheRule(Struct, frozen=True, gc=False):
    """What a target does with a prompt's beginning that comes again."""

    least_tokens: float  # shorter ones are not kept
    seconds: float  # for which one is kept after its last use
    asked_for: bool = False  # only what the caller has marked is kept, and writing it may cost extra


# Anthropic's maximum is 4,096; newer models than these are taken for one of that kind. Entries last five minutes from
# their last use. Source: docs.orq.ai, "Prompt caching" (a table of Anthropic's minimums), read 2026-11-23.
CLAUDE: tuple[tuple[str, float], ...] = (
    ("*claude-opus-4", 1_024),
    ("*claude-opus-4.1", 1_024),
    ("*claude-sonnet-4", 1_024),
    ("*claude-sonnet-4.5", 1_024),
    ("*claude-3.7-sonnet*", 1_024),
    ("*claude-3.5-sonnet*", 1_024),
    ("*claude-sonnet-4.6", 2_048),
    ("*claude-3*-haiku*", 2_048),
    ("*", 4_096),
)
CLAUDE_SECONDS = 300.0
# Source: ai.google.dev, "Context caching", read 2026-11-23. It states no lifetime; hosts of Gemini measured three to
# five minutes. Source: docs.aihubmix.com, "Prompt caching", read 2026-11-23.
GEMINI: tuple[tuple[str, float], ...] = (("*gemini-2.5*", 2_048), ("*", 4_096))
GEMINI_SECONDS = 180.0
# On disk, in units of 64 tokens, for hours to days. Source: api-docs.deepseek.com, "Context caching", read 2026-11-23.
DEEPSEEK = CacheRule(64, 3_600.0)
# OpenAI's: 1,024 tokens, five to ten minutes of inactivity. Source: developers.openai.com, "Prompt caching", read
# 2026-11-23. Others that sell cached input at a lower price are taken for the same.
USUAL = CacheRule(1_024, 300.0)


def cache_rule(offer: Offer) -> CacheRule | None:
    """The rule of this target; None when its provider asks as much for a beginning that it has seen."""
    fresh, cached = offer.prices.input, offer.prices.cached_input
    if fresh is None or cached is None or cached.value >= fresh.value:
        return None
    maker = offer.model.partition("/")[0]
    if maker == "anthropic":
        return CacheRule(least_of(CLAUDE, offer.model), CLAUDE_SECONDS, asked_for=True)
    if maker == "google":
        return CacheRule(least_of(GEMINI, offer.model), GEMINI_SECONDS)
    return DEEPSEEK if offer.provider == "deepseek" else USUAL


def least_of(table: tuple[tuple[str, float], ...], model: str) -> float:
    """The figure of the first pattern that fits; the last one fits everything."""
    return next(least for pattern, least in table if fnmatchcase(model, pattern))
