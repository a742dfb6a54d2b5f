"""Where Claude runs, and how its hosts differ from Anthropic's own API.

Sources, read 2026-11-23: anthropic 2.12, lib/bedrock, lib/vertex and lib/foundry.py; platform.claude.com, "Vision"
(addresses and uploads only at Anthropic and Azure); Amazon Bedrock user guide, "Anthropic Claude Messages API";
LiteLLM's table of beta flags by host, commit 030dd40.
"""

from collections.abc import Iterable
from urllib.parse import quote

from msgspec import Struct


class Host(Struct, frozen=True):
    """One host. A flag that it does not know makes it refuse the request."""

    version: str | None = None  # `anthropic_version` in the body
    has_model: bool = True  # in the body; otherwise it is part of the address
    has_stream: bool = True
    betas_in_body: bool = False
    betas: frozenset[str] | None = None  # flags of experimental features that it takes; None: any
    fetches: bool = True  # images and files by address or upload, not as data only
    path: str = "/messages"
    stream_path: str = "/messages"

    def address(self, model: str, stream: bool) -> str:
        """Appended to the base URL."""
        return (self.stream_path if stream else self.path).replace("{model}", quote(model, safe=":@"))

    def taken(self, betas: Iterable[str]) -> list[str]:
        """The flags among these that it takes."""
        return [beta for beta in betas if self.betas is None or beta in self.betas]


BEDROCK_BETAS = frozenset(
    (
        "compact-2026-01-12",
        "computer-use-2024-10-22",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dangerous-tool-use-2026-09-03",
        "dev-full-thinking-2025-05-14",
        "effort-2025-11-24",
        "fine-grained-tool-streaming-2025-05-14",
        "interleaved-thinking-2025-05-14",
        "mid-conversation-output-config-2026-07-01",
        "mid-conversation-tool-changes-2026-07-01",
        "output-128k-2025-02-19",
        "thinking-binding-controls-2026-08-01",
        "thinking-display-updates-2026-08-18",
        "token-efficient-tools-2025-02-19",
        "tool-examples-2025-10-29",
        "tool-search-tool-2025-10-19",
    )
)
VERTEX_BETAS = frozenset(
    (
        "compact-2026-01-12",
        "compact-2026-09-04",
        "computer-use-2025-01-24",
        "computer-use-2025-11-24",
        "context-1m-2025-08-07",
        "context-management-2025-06-27",
        "dangerous-tool-use-2026-09-03",
        "interleaved-thinking-2025-05-14",
        "per-turn-control-2026-07-01",
        "thinking-binding-controls-2026-08-01",
        "thinking-display-updates-2026-08-18",
        "tool-search-tool-2025-10-19",
        "web-search-2025-03-05",
    )
)

ANTHROPIC = Host()
BEDROCK = Host(
    "bedrock-2023-05-31",
    has_model=False,
    has_stream=False,
    betas_in_body=True,
    betas=BEDROCK_BETAS,
    fetches=False,
    path="/model/{model}/invoke",
    stream_path="/model/{model}/invoke-with-response-stream",
)
VERTEX = Host(
    "vertex-2023-10-16",
    has_model=False,
    betas=VERTEX_BETAS,
    fetches=False,
    path="/publishers/anthropic/models/{model}:rawPredict",
    stream_path="/publishers/anthropic/models/{model}:streamRawPredict",
)
