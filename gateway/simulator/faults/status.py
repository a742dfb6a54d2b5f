"""Faults with an HTTP status of their own, F11-F33: the manners of many providers in saying no."""

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate

from msgspec.json import encode
from msgspec.structs import replace

from gateway.simulator.complaint import Complaint
from gateway.simulator.http1 import JSON, Headers
from gateway.simulator.scene import Scene, whole
from gateway.simulator.steps import Steps

HTML = ("content-type", "text/html; charset=utf-8")
HTML_PAGE = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    b"<body><center><h1>502 Bad Gateway</h1></center><hr><center>edge</center></body></html>"
)
Reply = tuple[int, Headers, Complaint | bytes]  # bytes: a body that is the same in every format


def said(reply: Callable[[Scene], Reply]) -> Callable[[Scene], Steps]:
    """The fault that answers with `reply`, at once."""

    def act(scene: Scene) -> Steps:
        status, headers, body = reply(scene)
        yield whole(scene, status, body if isinstance(body, bytes) else scene.error(status, body), headers)

    return act


def openai_rate_limit(scene: Scene) -> Reply:
    """Seconds in Retry-After, Go durations in x-ratelimit-reset-*."""
    wait = scene.number("ra")
    headers = (
        JSON,
        ("retry-after", f"{wait:g}"),
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", go_duration(wait)),
        ("x-ratelimit-reset-tokens", "12ms"),
    )
    message = f"Rate limit reached for {scene.offer.upstream_name}. Please try again in {go_duration(wait)}."
    return 429, headers, Complaint(message, "requests", code="rate_limit_exceeded")


def azure_rate_limit(scene: Scene) -> Reply:
    """Milliseconds in retry-after-ms beside coarser seconds, which lose."""
    wait = scene.number("ra")
    headers = (JSON, ("retry-after-ms", f"{wait * 1000:.0f}"), ("retry-after", f"{int(wait) + 1}"))
    message = f"Token rate limit exceeded. Please retry after {wait:g} seconds."
    return 429, headers, Complaint(message, body=encode({"error": {"code": "429", "message": message}}))


def dated_rate_limit(scene: Scene) -> Steps:
    """Retry-After as a date; this provider's clock is `skew` seconds fast, and its Date header says so too."""
    there = scene.around.now + scene.number("skew")
    fast = replace(scene, around=replace(scene.around, now=there, date=formatdate(there, usegmt=True)))
    headers = (JSON, ("retry-after", formatdate(there + scene.number("ra"), usegmt=True)))
    complaint = Complaint("Too many requests.", "rate_limit_error", "rate_limit_exceeded")
    yield whole(fast, 429, scene.error(429, complaint), headers)


def groq_rate_limit(scene: Scene) -> Reply:
    """No Retry-After: the wait is in the text and in x-ratelimit-reset-tokens."""
    wait = go_duration(scene.number("ra"))
    message = f"Rate limit reached on tokens per minute (TPM): Limit 6000, Used 5999. Please try again in {wait}."
    headers = (JSON, ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", wait))
    return 429, headers, Complaint(message, "tokens", code="rate_limit_exceeded")


def gemini_rate_limit(scene: Scene) -> Reply:
    """RetryInfo in the body; v=day: the quota of a day, whose delay of seconds leads nowhere.

    Gemini has both messages. Where it is not known to be Gemini that speaks, the second means an empty account.
    Source: reports in google-gemini/gemini-cli, issues 2020 and 14811.
    """
    is_day = scene.variant == "day"
    message = "You exceeded your current quota." if is_day else "Resource has been exhausted (e.g. check quota)."
    google = "type.googleapis.com/google.rpc."
    span = "Day" if is_day else "Minute"
    quota = {"quotaId": f"GenerateRequestsPer{span}PerProjectPerModel-FreeTier", "quotaValue": "50"}
    details = [
        {"@type": google + "QuotaFailure", "violations": [quota]},
        {"@type": google + "RetryInfo", "retryDelay": f"{scene.number('ra'):g}s"},
    ]
    error = {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": details}
    return 429, (JSON,), encode({"error": error})


def anthropic_rate_limit(scene: Scene) -> Reply:
    """Resets as RFC 3339 moments, in Anthropic's error shape."""
    reset = datetime.fromtimestamp(scene.around.now + scene.number("ra"), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = (
        JSON,
        ("retry-after", f"{scene.number('ra'):g}"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("anthropic-ratelimit-requests-reset", reset),
    )
    return 429, headers, anthropic_error("rate_limit_error", "This request would exceed your rate limit.")


def quota_exhausted(scene: Scene) -> Reply:
    """A 429 that no waiting heals."""
    if scene.variant == "anthropic":
        return 429, (JSON,), anthropic_error("enforced_spend_limit_reached", "The enforced spend limit is reached.")
    message = "You exceeded your current quota, please check your plan and billing details."
    return 429, (JSON,), Complaint(message, "insufficient_quota", code="insufficient_quota")


HOSTILE_WAITS: dict[str, tuple[str, ...]] = {
    "text": ("soon",),
    "huge": ("100000000000000000000",),
    "neg": ("-5",),
    "nan": ("NaN",),
    "zero": ("0",),
    "many": ("1", "3600", "-1", "tomorrow"),
}


def hostile_wait(scene: Scene) -> Reply:
    """Retry-After that no sane provider sends."""
    waits = HOSTILE_WAITS.get(scene.variant, HOSTILE_WAITS["text"])
    headers = (JSON, *(("retry-after", wait) for wait in waits))
    return 429, headers, Complaint("Too many requests.", "rate_limit_error", code="rate_limit_exceeded")


def no_credits(scene: Scene) -> Reply:
    """402."""
    message = "Insufficient credits. Add more to continue."
    return 402, (JSON,), Complaint(message, body=encode({"error": {"code": 402, "message": message}}))


def billing_as_400(scene: Scene) -> Reply:
    """An empty account in the dress of a bad request."""
    message = "Your credit balance is too low to access the API. Please go to Plans & Billing."
    return 400, (JSON,), anthropic_error("invalid_request_error", message)


def bad_key(scene: Scene) -> Reply:
    """401 that repeats the key, unless v=quiet."""
    shown = "" if scene.variant == "quiet" else f": {scene.received.key}"
    return (
        401,
        (JSON,),
        Complaint(f"Incorrect API key provided{shown}.", "invalid_request_error", code="invalid_api_key"),
    )


def forbidden(scene: Scene) -> Reply:
    """403: no permission, or (v=region) the wrong country."""
    if scene.variant == "region":
        message = "Country, region, or territory not supported"
        return 403, (JSON,), Complaint(message, "request_forbidden", code="unsupported_country_region_territory")
    message = f"You do not have access to the model {scene.offer.upstream_name}."
    return 403, (JSON,), Complaint(message, "permission_error", code="permission_denied")


def model_gone(scene: Scene) -> Reply:
    """404 for a model that was here yesterday."""
    message = f"The model `{scene.offer.upstream_name}` has been deprecated."
    return 404, (JSON,), Complaint(message, "invalid_request_error", code="model_not_found")


def request_timeout(scene: Scene) -> Reply:
    """408."""
    return 408, (JSON,), Complaint("Timed out reading the request.", "timeout", code="request_timeout")


def too_large(scene: Scene) -> Reply:
    """413."""
    return 413, (JSON,), anthropic_error("request_too_large", "Request exceeds the maximum allowed number of bytes.")


def callers_fault(scene: Scene) -> Reply:
    """400, or (v=422) 422."""
    status = 422 if scene.variant == "422" else 400
    message = "Invalid value for 'messages[0].content': this provider does not like it."
    return status, (JSON,), Complaint(message, "invalid_request_error", code="invalid_value", param="messages")


def context_too_long(scene: Scene) -> Reply:
    """400 in one of six manners, without `v` in the format's own; the numbers are this request's, as if the window
    were smaller."""
    tokens = scene.answer.prompt_tokens
    window = max(1, tokens - 1)
    body: Complaint | bytes
    match scene.variant or scene.face.manner:
        case "anthropic":
            body = anthropic_error("invalid_request_error", f"prompt is too long: {tokens} tokens > {window} maximum")
        case "gemini":
            message = f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({window})."
            body = encode({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}})
        case "sglang":
            message = f"The input ({tokens} tokens) is longer than the model's context length ({window} tokens)."
            body = encode({"object": "error", "message": message, "type": "BadRequestError", "code": 400})
        case "llamacpp":
            message = f"the request exceeds the available context size ({window} tokens), try increasing it"
            body = encode({"error": {"code": 400, "message": message, "type": "exceed_context_size_error"}})
        case "copilot":
            message = f"prompt token count of {tokens} exceeds the limit of {window}"
            body = encode({"error": {"message": message, "code": "model_max_prompt_tokens_exceeded"}})
        case _:
            message = f"This model's maximum context length is {window} tokens, but your messages have {tokens}."
            body = Complaint(message, "invalid_request_error", code="context_length_exceeded", param="messages")
    return 400, (JSON,), body


def filtered_prompt(scene: Scene) -> Reply:
    """400 for what the prompt says."""
    message = "The prompt triggered the provider's content management policy."
    return 400, (JSON,), Complaint(message, "invalid_request_error", code="content_filter", param="prompt")


def server_error(scene: Scene) -> Reply:
    """500."""
    return 500, (JSON,), Complaint("The server had an error while processing your request.", "server_error")


def html_bad_gateway(scene: Scene) -> Reply:
    """502, with a page for people."""
    return 502, (HTML,), HTML_PAGE


def unavailable(scene: Scene) -> Reply:
    """503, with a wait."""
    headers = (JSON, ("retry-after", f"{scene.number('ra'):g}"))
    return 503, headers, Complaint("The service is temporarily unavailable.", "server_error", code="unavailable")


def gateway_timeout(scene: Scene) -> Reply:
    """504."""
    return 504, (JSON,), Complaint("Upstream timed out.", "timeout_error")


def overloaded(scene: Scene) -> Reply:
    """529."""
    return 529, (JSON,), anthropic_error("overloaded_error", "Overloaded")


BY_STATUS: dict[int, Callable[[Scene], Reply]] = {
    429: openai_rate_limit,
    500: server_error,
    502: html_bad_gateway,
    503: unavailable,
    504: gateway_timeout,
    529: overloaded,
}


def anthropic_error(kind: str, message: str) -> Complaint:
    """A complaint that compatible providers make in Anthropic's document. Source: its API reference, "Errors"."""
    return Complaint(message, kind, body=encode({"type": "error", "error": {"type": kind, "message": message}}))


def go_duration(seconds: float) -> str:
    """Seconds as Go writes them: "7s", "2m59.56s", "6m0s"."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{round(rest, 3):g}s" if minutes else f"{round(rest, 3):g}s"
