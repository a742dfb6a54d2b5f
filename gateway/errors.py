"""The error vocabulary: whose fault it is, which HTTP status it has, what to do now.

Every message names the thing, the value and the way out. Foreign exceptions are mapped here once, at the boundary where
they arise, with `from`.
"""


class GatewayError(Exception):
    """Anything that ends a request without an answer. Rendered in the caller's dialect by `server.replies`.

    status: HTTP status. type, code, param: the fields of OpenAI's error object.
    """

    status = 500
    type = "server_error"
    code: str | None = None

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_seconds = retry_after_seconds
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status


class InvalidRequest(GatewayError):
    """The caller's request cannot be read or makes no sense."""

    status = 400
    type = "invalid_request_error"


class Unauthorized(GatewayError):
    """No key, or a key that we do not know."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class Forbidden(GatewayError):
    """A known key that may not do this."""

    status = 403
    type = "permission_error"
    code = "permission_denied"


class NotFound(GatewayError):
    """Unknown path, decision or model."""

    status = 404
    type = "invalid_request_error"
    code = "not_found"


class MethodNotAllowed(GatewayError):
    """A known path, asked with a method that it does not have. allow: those that it has, "GET, HEAD"."""

    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"

    def __init__(self, method: str, path: str, allow: str) -> None:
        super().__init__(f"{method[:40]} {path[:200]} is not possible; use {allow}")
        self.allow = allow


class UnknownModel(NotFound):
    """`model` names neither a router nor a model of the catalog."""

    code = "model_not_found"


class PayloadTooLarge(GatewayError):
    """The body is over the limit."""

    status = 413
    type = "invalid_request_error"
    code = "payload_too_large"


class FeedbackDisabled(GatewayError):
    """Nobody learns from feedback here."""

    status = 403
    type = "permission_error"
    code = "feedback_disabled"

    def __init__(self) -> None:
        super().__init__("Feedback is not taken here; the operator can switch it on with learning.enabled: true")


class NothingEligible(GatewayError):
    """No target can serve this request under this router; the message says what excluded each."""

    status = 400
    type = "invalid_request_error"
    code = "no_eligible_model"


class ContextTooLong(GatewayError):
    """The request is longer than the largest window among the candidates."""

    status = 400
    type = "invalid_request_error"
    code = "context_length_exceeded"


class Overloaded(GatewayError):
    """We, or every candidate, have no room now; `retry_after_seconds` says when to come back."""

    status = 503
    type = "server_error"
    code = "overloaded"


class UpstreamExhausted(GatewayError):
    """Every candidate was tried and failed."""

    status = 502
    type = "server_error"
    code = "upstream_exhausted"


class ProviderRefused(GatewayError):
    """The provider says that the request itself is at fault; no other provider is asked.

    `body` is the provider's own error document, b"" when it sent none that can be shown.
    """

    type = "invalid_request_error"

    def __init__(self, message: str, *, status: int, code: str | None, body: bytes) -> None:
        super().__init__(message, status=status, code=code)
        self.body = body


class LedgerUnavailable(GatewayError):
    """The ledger cannot be read or written now. Requests go on: their receipts wait in the journal."""

    status = 503
    type = "server_error"
    code = "ledger_unavailable"


class SettingsError(Exception):
    """The settings file is wrong. One line per finding, `file:line:column: key is value; expectation`.

    `findings` holds them all: a file is validated whole, not up to its first mistake.
    """

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings
