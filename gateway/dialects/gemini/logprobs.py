"""Probabilities of tokens: Google's logprobsResult and OpenAI's logprobs object."""

import msgspec
from msgspec import Raw

from gateway.dialects.gemini.names import encoded
from gateway.dialects.gemini.schema import NOTHING, Wire


class Token(Wire, frozen=True):
    token: str | None = None
    token_id: int | None = None
    log_probability: float | None = None


class TopTokens(Wire, frozen=True):
    candidates: list[Token] | None = None


class LogprobsResult(Wire, frozen=True):
    top_candidates: list[TopTokens] | None = None
    chosen_candidates: list[Token] | None = None


class OpenaiToken(msgspec.Struct, frozen=True):
    token: str
    logprob: float | None
    bytes: list[int] | None = None
    top_logprobs: "list[OpenaiToken]" = []


class OpenaiLogprobs(msgspec.Struct, frozen=True):
    content: list[OpenaiToken] | None = None


RESULT = msgspec.json.Decoder(LogprobsResult)
LOGPROBS = msgspec.json.Decoder(OpenaiLogprobs)


def read_logprobs(raw: Raw) -> Raw | None:
    """OpenAI's object; None for none, or for one that makes no sense."""
    if bytes(raw) in NOTHING:
        return None
    try:
        result = RESULT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    tops = [top.candidates or [] for top in result.top_candidates or ()]
    chosen = result.chosen_candidates or []
    tops += [[] for _ in range(len(chosen) - len(tops))]
    tokens = [openai_token(token, top) for token, top in zip(chosen, tops, strict=False)]
    return encoded({"content": tokens, "refusal": None}) if tokens else None


def openai_token(token: Token, top: list[Token]) -> dict[str, object]:
    told = {"token": token.token or "", "logprob": token.log_probability or 0.0}
    told["bytes"] = list((token.token or "").encode())
    return told | {"top_logprobs": [openai_token(other, []) | {} for other in top]} if top else told


def write_logprobs(raw: Raw | None) -> LogprobsResult | None:
    """Google's object."""
    if raw is None:
        return None
    try:
        tokens = LOGPROBS.decode(raw).content or []
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not tokens:
        return None
    tops = [
        TopTokens([Token(top.token, log_probability=top.logprob) for top in token.top_logprobs]) for token in tokens
    ]
    chosen = [Token(token.token, log_probability=token.logprob) for token in tokens]
    return LogprobsResult(tops if any(top.candidates for top in tops) else None, chosen)
