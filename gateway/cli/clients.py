"""How each client program is told of Steelyard: what to write where. One row per client.

Sources: each program's own reference, and the recorded requests of the versions named in docs/clients.md.
"""

import json
from collections.abc import Callable
from typing import Literal

from msgspec import Struct

Form = Literal["json", "toml", "yaml", "shell", "code"]


class Place(Struct, frozen=True):
    """Where Steelyard is, and what the client shall ask for."""

    root: str  # "http://127.0.0.1:8080", without a trailing slash
    key: str
    model: str  # a router, or anything else that `model` may say
    context_window: int = 200_000  # tokens
    max_output_tokens: int = 32_000
    takes_images: bool = True

    @property
    def v1(self) -> str:
        """The base URL of OpenAI's clients."""
        return f"{self.root}/v1"


class Client(Struct, frozen=True):
    """One program."""

    name: str
    title: str
    speaks: str
    form: Form
    text: Callable[[Place], str]  # what to write
    file: str = ""  # below the home folder; "" when there is nothing to write to
    then: str = ""  # how to start it afterwards
    note: str = ""


def as_json(document: object) -> str:
    return json.dumps(document, indent=2) + "\n"


def openclaw(place: Place) -> str:
    model = {
        "id": place.model,
        "name": f"Steelyard {place.model}",
        "reasoning": True,
        "input": ["text", "image"] if place.takes_images else ["text"],
        "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
        "contextWindow": place.context_window,
        "maxTokens": place.max_output_tokens,
        "compat": {
            "supportsPromptCacheKey": True,
            "supportsReasoningEffort": True,
            "supportsDeveloperRole": True,
            "supportsUsageInStreaming": True,
        },
    }
    provider = {"baseUrl": place.v1, "apiKey": place.key, "api": "openai-completions", "models": [model]}
    return as_json(
        {
            "agents": {"defaults": {"model": {"primary": f"steelyard/{place.model}"}}},
            "models": {"mode": "merge", "providers": {"steelyard": provider}},
        }
    )


def codex(place: Place) -> str:
    """A profile of its own; since 0.169 the tables [profiles.NAME] of config.toml are refused."""
    return f"""\
model = "{place.model}"
model_context_window = {place.context_window}
model_provider = "steelyard"

[model_providers.steelyard]
name = "Steelyard"
base_url = "{place.v1}"
env_key = "STEELYARD_API_KEY"
wire_api = "responses"
stream_max_retries = 1
request_max_retries = 1
"""


def claude_code(place: Place) -> str:
    return as_json(
        {
            "env": {
                "ANTHROPIC_BASE_URL": place.root,
                "ANTHROPIC_AUTH_TOKEN": place.key,
                "ANTHROPIC_MODEL": place.model,
                "CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(place.context_window),
                "CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1",
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            }
        }
    )


def aider(place: Place) -> str:
    return f"""\
model: openai/{place.model}
openai-api-base: {place.v1}
openai-api-key: {place.key}
"""


def continue_dev(place: Place) -> str:
    """It offers tools and images only to models that it knows or that say so."""
    capabilities = "tool_use, image_input" if place.takes_images else "tool_use"
    return f"""\
name: Steelyard
version: 1.0.0
schema: v1
models:
  - name: Steelyard {place.model}
    provider: openai
    model: {place.model}
    apiBase: {place.v1}
    apiKey: {place.key}
    roles: [chat, edit, apply]
    capabilities: [{capabilities}]
    defaultCompletionOptions:
      contextLength: {place.context_window}
"""


def opencode(place: Place) -> str:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Steelyard",
        "options": {"baseURL": place.v1, "apiKey": place.key},
        "models": {place.model: {"limit": {"context": place.context_window, "output": place.max_output_tokens}}},
    }
    return as_json({"provider": {"steelyard": provider}, "model": f"steelyard/{place.model}"})


def pi(place: Place) -> str:
    provider = {"baseUrl": place.v1, "api": "openai-completions", "apiKey": place.key, "models": [{"id": place.model}]}
    return as_json({"providers": {"steelyard": provider}})


def llm(place: Place) -> str:
    return f"""\
- model_id: steelyard
  model_name: {place.model}
  api_base: "{place.v1}"
"""


def shell(**variables: str) -> Callable[[Place], str]:
    """Environment variables; {root}, {v1}, {key} and {model} are filled in."""

    def text(place: Place) -> str:
        values = {"root": place.root, "v1": place.v1, "key": place.key, "model": place.model}
        return "".join(f"export {name}={value.format(**values)}\n" for name, value in variables.items())

    return text


def cline(place: Place) -> str:
    return f"cline auth -p openai-compatible -k {place.key} -m {place.model} -b {place.v1}\n"


def langchain(place: Place) -> str:
    return f"""\
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="{place.model}", base_url="{place.v1}", api_key="{place.key}", stream_usage=True)
"""


def pydantic_ai(place: Place) -> str:
    return f"""\
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url="{place.v1}", api_key="{place.key}")
agent = Agent(OpenAIChatModel("{place.model}", provider=provider))
"""


def vercel_ai(place: Place) -> str:
    return f"""\
import {{ createOpenAICompatible }} from '@ai-sdk/openai-compatible';

const steelyard = createOpenAICompatible({{
  name: 'steelyard', baseURL: '{place.v1}', apiKey: '{place.key}', includeUsage: true, supportsStructuredOutputs: true,
}});
const model = steelyard('{place.model}');
"""


def litellm(place: Place) -> str:
    return f"""\
model_list:
  - model_name: {place.model}
    litellm_params:
      model: openai/{place.model}
      api_base: {place.v1}
      api_key: {place.key}
"""


def openrouter(place: Place) -> str:
    return f"""\
import {{ createOpenRouter }} from '@openrouter/ai-sdk-provider';

const steelyard = createOpenRouter({{ baseURL: '{place.root}/api/v1', apiKey: '{place.key}' }});
const model = steelyard('{place.model}');
"""


def any_other(place: Place) -> str:
    return f"""\
# base URL: {place.v1}
# API key:  {place.key}
# model:    {place.model}
export OPENAI_BASE_URL={place.v1}
export OPENAI_API_KEY={place.key}
"""


CHAT, RESPONSES, MESSAGES, GEMINI = "OpenAI Chat", "OpenAI Responses", "Anthropic Messages", "Gemini"
OPENAI_VARIABLES = shell(OPENAI_BASE_URL="{v1}", OPENAI_API_KEY="{key}")

CLIENTS: dict[str, Client] = {
    client.name: client
    for client in (
        Client(
            "openclaw",
            "OpenClaw",
            CHAT,
            "json",
            openclaw,
            ".openclaw/openclaw.json",
            'openclaw agent --local --agent main -m "say hi"',
        ),
        Client(
            "codex",
            "Codex CLI",
            RESPONSES,
            "toml",
            codex,
            ".codex/steelyard.config.toml",
            "STEELYARD_API_KEY={key} codex --profile steelyard",
            "Codex takes the key from the variable STEELYARD_API_KEY, never from the file.",
        ),
        Client("claude-code", "Claude Code", MESSAGES, "json", claude_code, ".claude/settings.json", "claude"),
        Client("aider", "Aider", CHAT, "yaml", aider, ".aider.conf.yml", "aider"),
        Client("continue", "Continue", CHAT, "yaml", continue_dev, ".continue/config.yaml", ""),
        Client("opencode", "opencode", CHAT, "json", opencode, ".config/opencode/opencode.json", "opencode"),
        Client("cline", "Cline CLI", CHAT, "shell", cline, then='cline "say hi"'),
        Client(
            "pi", "pi", CHAT, "json", pi, ".pi/agent/models.json", 'pi --provider steelyard --model {model} "say hi"'
        ),
        Client(
            "gemini-cli",
            "Gemini CLI",
            GEMINI,
            "shell",
            shell(GOOGLE_GEMINI_BASE_URL="{root}", GEMINI_API_KEY="{key}"),
            then="gemini -m {model}",
        ),
        Client(
            "qwen-code",
            "Qwen Code",
            CHAT,
            "shell",
            shell(OPENAI_BASE_URL="{v1}", OPENAI_API_KEY="{key}", OPENAI_MODEL="{model}"),
            then="qwen --auth-type openai",
        ),
        Client(
            "llm",
            "llm",
            CHAT,
            "yaml",
            llm,
            ".config/io.datasette.llm/extra-openai-models.yaml",
            'llm -m steelyard --key {key} "say hi"',
        ),
        Client("openai", "OpenAI SDKs", f"{CHAT}, {RESPONSES}", "shell", OPENAI_VARIABLES),
        Client(
            "anthropic",
            "Anthropic SDKs",
            MESSAGES,
            "shell",
            shell(ANTHROPIC_BASE_URL="{root}", ANTHROPIC_API_KEY="{key}"),
        ),
        Client(
            "google-genai",
            "Google Gen AI SDKs",
            GEMINI,
            "shell",
            shell(GOOGLE_GEMINI_BASE_URL="{root}", GEMINI_API_KEY="{key}"),
        ),
        Client(
            "other",
            "Any program that speaks to OpenAI",
            CHAT,
            "shell",
            any_other,
            note="Look for its base URL, API host or endpoint. One that adds /v1 by itself gets the address without.",
        ),
        Client("litellm", "LiteLLM", CHAT, "yaml", litellm, then="litellm --config FILE"),
        Client("openrouter", "OpenRouter's clients", CHAT, "code", openrouter),
        Client("langchain", "LangChain", CHAT, "code", langchain),
        Client("pydantic-ai", "Pydantic AI", CHAT, "code", pydantic_ai),
        Client("vercel-ai", "Vercel AI SDK", CHAT, "code", vercel_ai),
    )
}
