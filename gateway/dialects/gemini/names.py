"""Members in snake_case: protobuf's JSON takes them beside camelCase, and Google's own SDKs mix both in one body.

Readers here know camelCase only; this turns the known names of a request into it and leaves everything else alone,
above all the names inside JSON schemas and arguments, which belong to the caller.
"""

import re

import msgspec
from msgspec import Raw

MEMBERS = msgspec.json.Decoder(dict[str, Raw])
ITEMS = msgspec.json.Decoder(list[Raw])


class Message:
    """One message of the API: the camelCase names that snake_case could stand for, and the messages inside it."""

    def __init__(self, *names: str, **inside: "Message") -> None:
        self.inside = inside
        self.camel = {snake(name): name for name in (*names, *inside) if snake(name) != name}

    def spellings(self) -> set[str]:
        """Every snake_case name, at any depth."""
        return set(self.camel).union(*(message.spellings() for message in self.inside.values()))


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


BLOB = Message("mimeType", "displayName")
FILE = Message("mimeType", "fileUri", "displayName")
PART = Message(
    "thoughtSignature",
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
    "videoMetadata",
    "mediaResolution",
    "partMetadata",
    inlineData=BLOB,
    fileData=FILE,
    functionCall=Message(),
    functionResponse=Message("willContinue", parts=Message(inlineData=BLOB, fileData=FILE)),
)
CONTENT = Message(parts=PART)
GENERATION = Message(
    "topP",
    "topK",
    "maxOutputTokens",
    "stopSequences",
    "candidateCount",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseLogprobs",
    "responseModalities",
    "presencePenalty",
    "frequencyPenalty",
    "speechConfig",
    "mediaResolution",
    "imageConfig",
    "audioTimestamp",
    "enableEnhancedCivicAnswers",
    "continuationToken",
    thinkingConfig=Message("includeThoughts", "thinkingBudget", "thinkingLevel"),
)
REQUEST = Message(
    "safetySettings",
    "cachedContent",
    "serviceTier",
    contents=CONTENT,
    systemInstruction=CONTENT,
    generationConfig=GENERATION,
    tools=Message(
        "googleSearch",
        "googleSearchRetrieval",
        "googleMaps",
        "codeExecution",
        "urlContext",
        "fileSearch",
        "computerUse",
        "enterpriseWebSearch",
        "mcpServers",
        functionDeclarations=Message("parametersJsonSchema", "responseJsonSchema"),
    ),
    toolConfig=Message(
        "retrievalConfig",
        "includeServerSideToolInvocations",
        functionCallingConfig=Message("allowedFunctionNames", "streamFunctionCallArguments"),
    ),
)
COUNT = Message(generateContentRequest=REQUEST, **REQUEST.inside)

# Looks for the last word of a name: a search for "_" is fast, one for a quote or for sixty names is not.
LAST_WORDS = sorted({name.rpartition("_")[2] for name in COUNT.spellings()})
SNAKE = re.compile(b'_(?:%s)"\\s*:' % "|".join(LAST_WORDS).encode())


def camel(body: bytes, message: Message = REQUEST) -> bytes:
    """The same message with its known names in camelCase. Raises msgspec.DecodeError where it is no JSON."""
    return bytes(renamed(Raw(body), message)) if SNAKE.search(body) else body


def renamed(raw: Raw, message: Message) -> Raw:
    """What is not an object or an array of objects is left for the reader to complain about."""
    first = bytes(raw).lstrip()[:1]
    if first == b"[":
        return encoded([renamed(item, message) for item in ITEMS.decode(raw)])
    if first != b"{":
        return raw
    members: dict[str, Raw] = {}
    for name, value in MEMBERS.decode(raw).items():
        name = message.camel.get(name, name)
        inside = message.inside.get(name)
        members[name] = value if inside is None or SNAKE.search(value) is None else renamed(value, inside)
    return encoded(members)


def encoded(value: object) -> Raw:
    return Raw(msgspec.json.encode(value))
