"""In which format the built-in providers are asked: they speak all, and the environment says which one to use."""

from collections.abc import Mapping

from gateway.errors import SettingsError
from gateway.settings.shown import quoted
from gateway.simulator.models import PROVIDERS

DIALECTS = "STEELYARD_SIMULATOR_DIALECTS"  # environment variable: "sim-charlie=anthropic_messages,sim-delta=gemini"

# Where the address of each format begins, below a provider's port.
BASE_PATHS: dict[str, str] = {
    "openai_chat": "/v1",
    "openai_responses": "/v1",
    "anthropic_messages": "/v1",
    "gemini": "/v1beta",
    "cohere_v2": "/v2",
    "ollama": "",
}
USUAL = "openai_chat"


def simulated_dialects(environ: Mapping[str, str]) -> dict[str, str]:
    """Dialect by provider, for those that the environment names. Raises SettingsError."""
    told = environ.get(DIALECTS, "")
    pairs = [pair.strip().partition("=") for pair in told.split(",") if pair.strip()]
    for name, _, dialect in pairs:
        if name not in PROVIDERS or dialect not in BASE_PATHS:
            raise SettingsError(
                [
                    f"{DIALECTS} is {quoted(told)}; provider=dialect is expected, with commas between: providers are "
                    f"{', '.join(PROVIDERS)}; dialects are {', '.join(BASE_PATHS)}"
                ]
            )
    return {name: dialect for name, _, dialect in pairs}
