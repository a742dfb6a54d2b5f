"""The route table. Hot routes are raw ASGI callables; every error leaves as an OpenAI-shaped document."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.accounting.ledger import Ledger
from gateway.dialects.contract import Inbound
from gateway.dialects.formats import CHAT, COMPLETIONS, GEMINI, MESSAGES
from gateway.errors import GatewayError, MethodNotAllowed, NotFound
from gateway.server.embeddings import EmbeddingGeneration
from gateway.server.feedback import FeedbackDesk
from gateway.server.hosts import host_allowed
from gateway.server.ids import Ids
from gateway.server.inference import GeminiGeneration, Generation
from gateway.server.inquiry import Inquiry
from gateway.server.limits import CallerGone, Message, Receive, Scope, Send
from gateway.server.metadata import request_ids
from gateway.server.replay import ReplayDesk
from gateway.server.replies import retry_headers, send_error
from gateway.server.responses import ResponsesGeneration
from gateway.server.state import State
from gateway.telemetry.metrics import Figures

MISDIRECTED = GatewayError(
    "This Host is not served here. Steelyard listens on loopback only and answers to localhost, 127.0.0.1 or [::1]",
    status=421,
    code="misdirected_request",
)
FOREIGN_PAGE = GatewayError(
    "A web page of another site may not call this server; call it from a program, such as the server of that page",
    status=403,
    code="foreign_origin",
)
PREFIXES = ("", "/routers/{router}", "/api")  # the last is where OpenRouter's clients look
PATHS = (
    "POST /v1/chat/completions, POST /v1/completions, POST /v1/responses, GET and DELETE /v1/responses/{id}, "
    "POST /v1/messages, POST /v1/messages/count_tokens, POST /v1/embeddings, "
    "POST /v1beta/models/{model}:generateContent (:streamGenerateContent, :countTokens; /v1 too), POST /v1/route, "
    "GET /v1/models, GET /v1beta/models, GET /v1/catalog, GET /v1/decisions/{id}, GET /v1/usage, POST /v1/feedback, "
    "POST /v1/replay, GET /healthz, GET /readyz, GET /metrics; all but these three also below /routers/{name} and /api"
)


class FrontDoor:
    """Pure ASGI before Starlette: refuses foreign Host headers on a loopback listener (DNS rebinding, S18), and takes
    the hottest path straight to its endpoint, past Starlette's middleware, which costs as much as a decision.
    """

    def __init__(self, app: Starlette, hot: Mapping[str, Generation], ids: Ids, is_loopback: bool) -> None:
        self._app = app
        self._hot = hot
        self._ids = ids
        self._is_loopback = is_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_loopback and not has_allowed_host(scope["headers"]):
            await send_error(send, MISDIRECTED, None, [*request_ids(self._ids.next("req_"))])
        elif self._is_loopback and comes_from_a_foreign_page(scope["headers"]):
            await send_error(send, FOREIGN_PAGE, None, [*request_ids(self._ids.next("req_"))])
        elif (endpoint := self._hot.get(scope["path"])) is not None:
            await endpoint(scope, receive, send)
        else:
            if scope["path"].endswith("/"):  # not redirected: some clients would come back as GET, or without their key
                scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
            await self._app(scope, receive, with_request_id(send, self._ids))


def with_request_id(send: Send, ids: Ids) -> Send:
    """Answers that have no id of a decision get one of their own."""

    async def send_with_id(message: Message) -> None:
        if message["type"] == "http.response.start" and all(name != b"x-request-id" for name, _ in message["headers"]):
            message["headers"] = [*message["headers"], *request_ids(ids.next("req_"))]
        await send(message)

    return send_with_id


def comes_from_a_foreign_page(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a browser sent this for a page of another site, which could spend the operator's money (CSRF)."""
    for name, value in headers:
        if name == b"sec-fetch-site" and value == b"cross-site":
            return True
        if name == b"origin" and not host_allowed(value.partition(b"://")[2], True):
            return True
    return False


def has_allowed_host(headers: list[tuple[bytes, bytes]]) -> bool:
    """At most one Host header, and that of this machine."""
    seen = 0
    for name, value in headers:
        if name == b"host":
            seen += 1
            if seen > 1 or not host_allowed(value, True):
                return False
    return True


def make_app(
    state: State,
    ledger: Ledger,
    is_loopback: bool,
    metrics: Callable[[], Figures],
    settings_file: Path | None = None,
) -> FrontDoor:
    """The ASGI application over one process's state. metrics: its figures of the moment. settings_file: its own."""
    inquiry = Inquiry(state, ledger, metrics)
    hot = {
        "/v1/chat/completions": Generation(state, CHAT),
        "/v1/completions": Generation(state, COMPLETIONS),
        "/v1/messages": Generation(state, MESSAGES),
        "/v1/embeddings": EmbeddingGeneration(state),
    }
    gemini = GeminiGeneration(state, GEMINI)
    responses = ResponsesGeneration(state)
    endpoints: list[tuple[str, Callable[..., Any], list[str] | None]] = [
        *((path, endpoint, None) for path, endpoint in hot.items()),
        ("/v1/responses", responses, None),
        ("/v1/responses/{response_id}", responses.show, ["GET"]),
        ("/v1/responses/{response_id}", responses.delete, ["DELETE"]),
        ("/v1/messages/count_tokens", inquiry.count_tokens, ["POST"]),
        ("/v1beta/models", inquiry.gemini_models, ["GET"]),
        ("/v1/catalog", inquiry.catalog, ["GET"]),
        ("/v1/models", inquiry.models, ["GET"]),
    ]
    for version in ("v1beta", "v1"):
        model = f"/{version}/models/{{call:path}}"
        endpoints += [(f"{model}:{method}", gemini, None) for method in ("generateContent", "streamGenerateContent")]
        endpoints.append((f"{model}:countTokens", inquiry.gemini_count_tokens, ["POST"]))
    endpoints += [
        ("/v1/models/{model_id:path}", inquiry.model, ["GET"]),
        ("/v1beta/models/{model_id:path}", inquiry.gemini_model, ["GET"]),
        ("/v1/route", inquiry.route, ["POST"]),
        ("/v1/decisions/{decision_id}", inquiry.decision, ["GET"]),
        ("/v1/usage", inquiry.usage, ["GET"]),
        ("/v1/feedback", FeedbackDesk(state, ledger).take, ["POST"]),
        ("/v1/replay", ReplayDesk(state, settings_file).take, ["POST"]),
    ]
    routes = [
        Route(prefix + path, endpoint, methods=methods) for path, endpoint, methods in endpoints for prefix in PREFIXES
    ]
    routes += [Route("/healthz", inquiry.health), Route("/readyz", inquiry.ready), Route("/metrics", inquiry.metrics)]
    handlers = {
        GatewayError: on_gateway_error,
        CallerGone: on_caller_gone,
        HTTPException: on_http_exception,
        Exception: on_our_fault,
    }
    return FrontDoor(Starlette(routes=routes, exception_handlers=handlers), hot, state.ids, is_loopback)  # type: ignore[arg-type]


async def on_gateway_error(request: Request, error: GatewayError) -> Response:
    headers = {name.decode(): value.decode() for name, value in retry_headers(error)}
    body = format_of(request.scope["path"]).error_body(error, None)
    return Response(body, error.status, headers, media_type="application/json")


async def on_caller_gone(request: Request, error: CallerGone) -> Response:
    """Starlette wants an answer, though nobody hears it."""
    return Response(status_code=400)


def format_of(path: str) -> Inbound:
    """The format in which a caller of this path reads errors."""
    if "/v1/messages" in path:
        return MESSAGES
    return GEMINI if path.endswith((":generateContent", ":streamGenerateContent", ":countTokens")) else CHAT


async def on_http_exception(request: Request, error: HTTPException) -> Response:
    """Starlette's own 404 and 405."""
    path = request.scope["path"][:200]
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "GET").split(", ")
        told: GatewayError = MethodNotAllowed(request.method, path, ", ".join(sorted(allowed)))
    elif error.status_code == 404:
        told = NotFound(f"There is no {path} here. There are: {PATHS}")
    else:
        told = GatewayError(str(error.detail), status=error.status_code)
    return await on_gateway_error(request, told)


async def on_our_fault(request: Request, error: Exception) -> Response:
    """Starlette logs the traceback by raising it again after this answer; the caller never sees it."""
    return await on_gateway_error(request, GatewayError("Steelyard made a mistake; the log has the details"))
