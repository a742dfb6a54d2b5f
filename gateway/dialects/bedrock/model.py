"""What a model's name says about its manners: Converse is one format, but its models refuse different parts of it.

Sources, read 2026-11-23: Amazon Bedrock user guide, "Supported models and model features", "Get validated JSON
results", "Prompt caching"; Amazon Nova user guide, "Extended thinking".
"""

import re

from msgspec import Struct

# us.amazon.nova-2-lite-v1:0, global.openai.gpt-6-sol, qwen.qwen3-32b-v1:0, arn:aws:bedrock:…/meta.llama3-8b-instruct
NAME = re.compile(r"(?:^|[./])(?P<maker>[a-z0-9]+)\.(?P<name>[a-z][a-z0-9.:-]*)$")
OF_THE_WORLD = ("us", "eu", "apac", "au", "jp", "ca", "sa", "global", "us-gov")
WITHOUT_SCHEMAS = ("amazon", "meta", "cohere", "ai21", "writer", "")
OLD_MISTRAL = re.compile(r"mistral-(?:7b|large-24|small-24)|mixtral|pixtral")


class Model(Struct, frozen=True):
    """A model by its maker and name; both "" where they cannot be told."""

    maker: str
    name: str

    @property
    def has_schemas(self) -> bool:
        """Can be held to a JSON schema, in answers and in calls."""
        is_old = self.maker == "mistral" and OLD_MISTRAL.match(self.name) is not None
        return self.maker not in WITHOUT_SCHEMAS and not is_old

    @property
    def takes_marks(self) -> bool:
        """Takes cache points; whoever does not refuses the request."""
        return self.maker == "anthropic" or self.is_nova

    @property
    def is_nova(self) -> bool:
        return self.maker == "amazon" and self.name.startswith("nova")

    @property
    def thinks_in_levels(self) -> bool:
        """Nova 2: low, medium, high."""
        return self.is_nova and self.name.startswith("nova-2")

    @property
    def takes_effort(self) -> bool:
        """OpenAI's models, in OpenAI's word."""
        return self.maker == "openai"


def model_of(name: str) -> Model:
    """By Bedrock's name for it, with or without region before it; profiles of one's own tell nothing."""
    found = NAME.search(name.lower())
    if found is None:
        return Model("", "")
    maker, rest = found["maker"], found["name"]
    if maker in OF_THE_WORLD:
        maker, _, rest = rest.partition(".")
    return Model(maker, rest)
