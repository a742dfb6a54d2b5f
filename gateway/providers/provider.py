"""One provider, ready to be called: address, headers and quirks. Data, no behaviour beyond lookups."""

from msgspec import Struct

from gateway.transport.logins import Login
from gateway.wire.secret import Secret

__all__ = ["Provider", "Route", "Secret"]


class Route(Struct, frozen=True):
    """Which of a provider's models are asked in which format, and where. The first route that fits decides."""

    dialect: str
    makers: tuple[str, ...] = ()  # of the model; empty: anybody's
    is_path: bool = False  # only models whose name at this provider has a slash
    api: str = ""  # only offers that answer in this further format; "" only those that answer like the others
    prefix: str = ""  # between base_url and the format's own path, with {model} for the model's name there
    query: str = ""  # behind that path: "api-version=2024-10-21"
    auth_header: str = ""  # where the key goes, when it is not where the provider's others go
    family: str = ""  # whose signed thoughts are accepted, when the format does not say so

    def fits(self, maker: str, upstream_name: str, api: str) -> bool:
        """Whether a model of this maker, of this name there, is asked this way."""
        is_made = not self.makers or maker in self.makers
        return is_made and api == self.api and (not self.is_path or "/" in upstream_name)


class Provider(Struct, frozen=True):
    """A row of `compatible.yaml`, or of the settings, with its credentials resolved."""

    name: str
    title: str  # as people write it: "Groq"
    base_url: str  # without a trailing slash: "https://api.groq.com/openai/v1"
    key: Secret | None  # None: needs none (self-hosted, simulator)
    key_env: tuple[str, ...] = ()  # environment variables that may hold the key, first wins
    dialect: str = "openai_chat"  # the format that it speaks
    apis: tuple[str, ...] = ()  # further formats that it speaks, for models that answer in nothing else: "responses"
    path: str = ""  # appended to base_url, with {model} for the model's name; "" for the format's own
    family: str = ""  # whose signed thoughts it accepts: "openai", …; "" when its format says so, or nobody's
    extensions: tuple[str, ...] = ()  # request members beyond its format's definition that it takes
    auth_header: str = "authorization"  # the value is "Bearer KEY" there, the bare key in any other header
    headers: tuple[tuple[str, str], ...] = ()  # sent on every request
    forward_headers: tuple[str, ...] = ()  # caller's headers that travel on (lower case)
    stream_usage: bool = True  # takes stream_options.include_usage
    drop_fields: tuple[str, ...] = ()  # top-level request fields that it refuses
    max_tokens_field: str = ""  # the one name of the output limit that it takes; "" when it takes both
    region: str = ""  # ISO-3 country where it says that it computes, "" when it does not say
    docs: str = ""  # its API reference
    cloud: str = ""  # "aws", "google" or "azure": address and credentials follow that cloud's rules
    routes: tuple[Route, ...] = ()  # empty: everything goes one way
    login: Login | None = None  # what lets us in, where a fixed header does not
    geography: str = ""  # Bedrock: "eu", "apac" or ""; stands before the names of models that are shared within it
    served: tuple[str, ...] | None = None  # the only models that it has; None: all of the catalog's
    embeds: bool = True  # its embedding models are asked as is usual in its format
    assistant_prefix: str = ""  # how it is told to go on with a last message of the assistant; "" when it cannot be
    simulated: bool = False
    more_keys: tuple[Secret, ...] = ()  # of the same rights as `key`; requests take turns

    @property
    def keys(self) -> tuple[Secret | None, ...]:
        """All of them; one that is None where none is needed."""
        return (self.key, *self.more_keys)

    def route_for(self, model_id: str, upstream_name: str, api: str) -> Route | None:
        """How to ask for a model; None where it cannot be had. Only for providers with routes."""
        if self.served is not None and model_id not in self.served:
            return None
        maker = model_id.partition("/")[0]
        return next((route for route in self.routes if route.fits(maker, upstream_name, api)), None)

    def name_of(self, upstream_name: str) -> str:
        """The model's name where this provider is asked: Bedrock shares some within a geography."""
        if self.geography and upstream_name.startswith("us."):
            return self.geography + upstream_name.removeprefix("us")
        return upstream_name
