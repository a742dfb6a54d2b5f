"""One provider, ready to be called: address, headers and quirks. Data, no behaviour beyond lookups."""

from msgspec import Struct


class Secret:
    """A key that never shows itself: str, repr, JSON and pickle are `***`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself; called only where upstream headers are built."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __reduce__(self) -> tuple[type["Secret"], tuple[str]]:
        return (Secret, ("***",))


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
    simulated: bool = False
