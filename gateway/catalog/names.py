"""From a source's spelling of a model to its canonical id "maker/name".

Spellings are compared by their letters and digits only, so "llama-3_3-70B" and "Llama3.3-70b" agree. What a host adds
to a name without changing the model (precision, release date, "-maas", "-latest") is taken off, but only as long as
the name as it stands is not known. A name that no known id matches becomes a new id, when its maker is clear.
"""

import re
from collections.abc import Iterable, Iterator

from gateway.catalog.aliases import Aliases

PATHS = re.compile(r"^(?:accounts/fireworks/(?:models|routers)/|publishers/[^/]+/models/|@(?:cf|hf)/|hf:)")
HOSTED_BY = re.compile(r"^(?:fw|databricks|snowflake)-")  # Azure's copies from Fireworks, and the hosts' own prefixes
BEDROCK = re.compile(r"^(?:(?:us|eu|apac|au|jp|ca|sa|us-gov|global)\.)?([a-z0-9]+)\.(?=[a-z])")
DECIMAL_P = re.compile(r"(?<=\d)p(?=\d)")  # Fireworks writes "glm-5p2"
DIGIT_GAP = re.compile(r"(?<=[a-z-]\d)-(?=\d(?:-|$))")  # "claude-haiku-5-5" is 5.5; "ministral-3-3b" is not 3.3
CLAUDE = re.compile(r"\bclaude-([4-9](?:[.-]\d)?)-(opus|sonnet|haiku)\b")  # Anthropic turned the order with version 4
VERSION = re.compile(r"(?:-v\d+)?:\d+$|@\d{8}$|@default$")  # Bedrock's and Vertex's
DATE = re.compile(r"-20\d{6}$|-20\d{2}-\d{2}-\d{2}$")
PRECISION = re.compile(r"-(?:fp8|fp4|nvfp4|mxfp4|bf16|awq|int4|int8|maas|tput|hf|tee|latest|cloud|original|free)$")
TUNING = re.compile(r"-(?:instruct|it)$")
HOST_SPEED = re.compile(r"-(?:turbo|lite)$")  # Together's and DeepInfra's quantised copies of open models
NOT_TEXT = re.compile(
    r"embed|rerank|whisper|tts|transcri|moderation|guard|-ocr|ocr-|realtime|-live|live-|image|imagen|veo-|lyria|flux"
    r"|-audio|audio-|-asr|speech|sora|dall-e|robotics|bge-|\be5-|prompt-guard|content-safety|gliner|orpheus|computer-use"
    r"|deep-research|search-preview|search-api|-mt-|livetranslate|riva|-nemoretriever|autoglm|omni-flash-realtime"
    r"|nano-banana|seedream|kling|hailuo|video|voicechat|model-router|stable-diffusion|esm|usdcode|usdvalidate|-stt|voice"
    r"|voyage|minilm|mpnet|-detection|bevformer|sparsedrive|streampetr|cosmos|draft|-ttm-|(?:^|/)(?:auto|router|free)$"
)  # fmt: skip
# Models that continue a text, fill a gap or merge an edit: whoever sends them a conversation gets no answer.
NOT_CHAT = re.compile(
    r"-base(?![a-z])|-fim(?![a-z])|(?:^|[/-])(?:apply|edit)-\d|gpt-3\.?5-turbo-(?:instruct|raw)|morph-v\d|davinci|babbage"
    r"|titan-text|flan-t5|mt0-|t5gemma|paligemma|ui-tars|(?:^|/)phi-[12](?![a-z0-9.])|starcoder"
    r"|osmosis-structure|llama-v\d(?:p\d)?-\d+b$"  # Fireworks' bare names are the untuned models
)

EMBEDDER = re.compile(r"embed|(?:^|[/-])(?:bge-(?!reranker)|e5-)|(?:^|/)(?:gte-|uae-)|minilm|mpnet")
# What embeds pictures, or is a price class and no model.
NOT_EMBEDDER = re.compile(r"embed-(?:[a-z]+-)*image|multimodal|marengo|rerank|together-ai-embedding")


def key(name: str) -> str:
    """Letters and digits of a name, lower case: what two spellings have in common."""
    return re.sub(r"[^a-z0-9]", "", DECIMAL_P.sub("", name.lower()))


def is_chat_model(name: str) -> bool:
    """False for names of models that embed, rank, guard, draw, speak or listen, and those that only continue text."""
    spelling = name.lower()
    return NOT_TEXT.search(spelling) is None and NOT_CHAT.search(spelling) is None


def is_embedding_model(name: str) -> bool:
    """True for names of models that make vectors of texts."""
    spelling = name.lower()
    return EMBEDDER.search(spelling) is not None and NOT_EMBEDDER.search(spelling) is None


class Names:
    """Canonical ids, and the way to them. Grows as new names come in, so sources join each other's new models."""

    def __init__(self, aliases: Aliases, known: Iterable[str] = ()) -> None:
        self._aliases = aliases
        self._makers = {spelling: maker for maker, all_ in aliases.makers.items() for spelling in (maker, *all_)}
        self._explicit = {key(name): model_id for name, model_id in aliases.names.items()}
        self._beginnings = sorted(aliases.beginnings.items(), key=lambda row: -len(row[0]))
        self._ids: dict[str, list[str]] = {}
        for model_id in (*aliases.models, *known):
            self.add(model_id)

    def add(self, model_id: str) -> None:
        """Make a canonical id known."""
        ids = self._ids.setdefault(key(model_id.partition("/")[2]), [])
        if model_id not in ids:
            ids.append(model_id)

    def resolve(self, spelling: str, provider: str = "", maker: str = "") -> str | None:
        """The canonical id of a spelling, new if need be; None when even its maker is unclear.

        provider: ours, where the spelling is used; maker: the source's word for the maker, where it has one.
        """
        found = self.find(spelling, maker, provider)
        if found is not None:
            return found
        stated, word, name = self._split(spelling, maker)
        owner = stated or word or self._maker_by_name(name)
        if owner is None:
            return None
        model_id = f"{owner}/{new_name(name)}"
        self.add(model_id)
        return model_id

    def find(self, spelling: str, maker: str = "", provider: str = "") -> str | None:
        """The known canonical id of a spelling, or None."""
        stated, _, name = self._split(spelling, maker)
        elsewhere = self._aliases.at.get(provider, {}).get(name)
        if elsewhere is not None:
            return elsewhere
        for candidate in spellings(name, (*self._maker_words(stated), provider)):
            found = self._known(candidate, stated)
            if found is not None:
                return found
        return None

    def _split(self, spelling: str, maker: str) -> tuple[str | None, str, str]:
        """The maker if we know it, the word that stands for one in the spelling, and the bare name."""
        text = PATHS.sub("", spelling.strip().lower().lstrip("~")).replace("_", "-").replace(" ", "-")
        bedrock = BEDROCK.match(text)
        if bedrock and bedrock.group(1) in self._makers:
            return self._makers[bedrock.group(1)], "", text[bedrock.end() :]
        *path, name = text.split("/")
        name = CLAUDE.sub(r"claude-\2-\1", HOSTED_BY.sub("", name))
        word = path[-1] if path else maker.lower()
        return self._makers.get(word), word, name

    def _maker_words(self, maker: str | None) -> tuple[str, ...]:
        return (maker, *self._aliases.makers.get(maker, ())) if maker else tuple(self._makers)

    def _maker_by_name(self, name: str) -> str | None:
        return next((maker for beginning, maker in self._beginnings if name.startswith(beginning)), None)

    def _known(self, name: str, maker: str | None) -> str | None:
        explicit = self._explicit.get(key(name))
        if explicit is not None:
            return explicit
        ids = self._ids.get(key(name), [])
        if len(ids) == 1 and any(letter.isdigit() for letter in ids[0]):
            return ids[0]  # whoever repacked it: a changed model has a name of its own
        owner = maker or self._maker_by_name(name)
        return next((model_id for model_id in ids if model_id.startswith(f"{owner}/")), None)


def spellings(name: str, maker_words: Iterable[str]) -> Iterator[str]:
    """The name, then ever plainer forms of it; the first known one wins."""
    yield name
    for word in maker_words:
        if name.startswith(f"{word}-") and len(name) > len(word) + 1:
            yield name[len(word) + 1 :]
    plain = name
    for ending in (VERSION, DATE, PRECISION, PRECISION, DATE):
        shorter = ending.sub("", plain)
        if shorter != plain:
            plain = shorter
            yield plain
    yield f"{plain}-instruct"
    yield f"{plain}-it"
    untuned = TUNING.sub("", plain)
    if untuned != plain:
        yield untuned
    slower = HOST_SPEED.sub("", plain)
    if slower != plain and TUNING.search(slower):
        yield slower
    for word in maker_words:
        if plain.startswith(f"{word}-") and len(plain) > len(word) + 1:
            yield plain[len(word) + 1 :]
            yield f"{plain[len(word) + 1 :]}-instruct"


def new_name(name: str) -> str:
    """The name under which an unknown model enters: without version, date and precision, decimals with a dot."""
    for ending in (VERSION, DATE, PRECISION, PRECISION):
        name = ending.sub("", name)
    name = re.sub("[:@]", "-", name)
    return DIGIT_GAP.sub(".", DECIMAL_P.sub(".", name))
