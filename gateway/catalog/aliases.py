"""The alias table, decoded: what each source calls providers, makers and models."""

from functools import cache
from importlib import resources

import msgspec
import yaml
from msgspec import Struct

SPELLINGS = {"models_dev": "models.dev", "genai_prices": "genai-prices"}


class ProviderRow(Struct, frozen=True, forbid_unknown_fields=True, rename=SPELLINGS):
    """One of our providers and its names elsewhere."""

    models_dev: tuple[str, ...] = ()
    openrouter: tuple[str, ...] = ()
    litellm: tuple[str, ...] = ()
    genai_prices: tuple[str, ...] = ()
    portkey: tuple[str, ...] = ()
    region: str = ""
    pue: float | tuple[float, float] | None = None
    free: bool = False
    prefer: tuple[str, ...] = ()


class Aliases(Struct, frozen=True, forbid_unknown_fields=True):
    """`aliases.yaml`; the file explains each part."""

    providers: dict[str, ProviderRow]
    makers: dict[str, tuple[str, ...]]
    beginnings: dict[str, str]
    models: tuple[str, ...]
    names: dict[str, str]
    at: dict[str, dict[str, str]]
    archived: frozenset[str]
    parameters: dict[str, tuple[float, float]]

    def providers_by_spelling(self) -> dict[tuple[str, str], str]:
        """(source, its name of the provider) -> ours."""
        return {
            (source, spelling): name
            for name, row in self.providers.items()
            for source, spellings in (
                ("models.dev", row.models_dev),
                ("openrouter", row.openrouter),
                ("litellm", row.litellm),
                ("genai-prices", row.genai_prices),
                ("portkey", row.portkey),
            )
            for spelling in spellings
        }


@cache
def bundled() -> Aliases:
    """The table that comes with the package."""
    text = resources.files("gateway.catalog").joinpath("aliases.yaml").read_bytes()
    return msgspec.convert(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), Aliases)  # noqa: S506
