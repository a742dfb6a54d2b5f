"""What providers are known to say when something goes wrong, and which fault it is. The first row that fits decides.

A sign is bound to a provider only where its words mean something else elsewhere: numbers, and misleading phrases.
Rows were read in the providers' error references, in the sources of the open servers, and in public bug reports.
"""

from msgspec import Struct

from gateway.providers.error_body import ErrorBody
from gateway.providers.kinds import FaultKind


class Sign(Struct, frozen=True):
    """A row: all that it states must hold. `labels` and `texts` are in lower case, and one of each is enough."""

    kind: FaultKind
    labels: tuple[str, ...] = ()  # codes, types, statuses, reasons
    texts: tuple[str, ...] = ()  # parts of the message
    providers: tuple[str, ...] = ()  # empty: any
    statuses: tuple[int, ...] = ()  # empty: any

    def fits(self, provider: str, status: int, error: ErrorBody) -> bool:
        """Does the row describe this error?"""
        return (
            (not self.providers or provider in self.providers)
            and (not self.statuses or status in self.statuses)
            and (not self.labels or not error.labels.isdisjoint(self.labels))
            and (not self.texts or any(text in error.text for text in self.texts))
        )


INSIDE_AN_ANSWER = (200,)  # an error in a stream or in a 200, with nothing but its own words to go by

SIGNS: tuple[Sign, ...] = (
    # More tokens than fit, now or ever:
    # A request over the tokens per minute of the key is no rate limit: waiting never makes it fit.
    Sign(FaultKind.TOO_LARGE, texts=("request too large for", "request too large ("), statuses=(413, 429)),
    Sign(
        FaultKind.CONTEXT_TOO_LONG,
        labels=(
            "context_length_exceeded",  # OpenAI, Groq, Cerebras, OpenRouter
            "context_window_exceeded",
            "exceed_context_size_error",  # llama.cpp
            "model_max_prompt_tokens_exceeded",  # GitHub Copilot
            "max_tokens_exceeded",  # OpenRouter
        ),
    ),
    Sign(FaultKind.CONTEXT_TOO_LONG, labels=("1261",), providers=("zai", "zhipuai")),
    Sign(FaultKind.CONTEXT_TOO_LONG, labels=("1039",), providers=("minimax",)),
    Sign(
        FaultKind.CONTEXT_TOO_LONG,
        texts=(
            "maximum context length",  # OpenAI, vLLM, DeepSeek, Mistral, OpenRouter, Fireworks
            "maximum prompt length",  # xAI
            "prompt is too long",  # Anthropic
            "exceed context limit",  # Anthropic: input and max_tokens together
            "exceeds the maximum number of tokens",  # Gemini
            "longer than the model's context length",  # SGLang
            "exceeds the available context size",  # llama.cpp
            "exceeds the context window",  # OpenAI
            "exceeds the context length",  # Ollama
            "context window exceeds limit",  # MiniMax
            "exceeded model token limit",  # Moonshot
            "input token length too long",  # Moonshot
            "range of input length should be",  # Qwen
            "prompt exceeds max length",  # Z.ai
            "too many tokens: total number of tokens",  # Cohere
            "`inputs` tokens + `max_new_tokens` must be",  # TGI, Together, Hugging Face
            "input is too long",  # Bedrock
            "too many input tokens",  # Bedrock
            "exceeds the model limit",  # Bedrock: input and maxTokens together
            "reduce the length of the messages",  # OpenAI, Groq, Cerebras
            "context length of only",  # LM Studio
        ),
    ),
    Sign(FaultKind.CONTEXT_TOO_LONG, texts=("prompt token count of",), labels=("invalid_request_body",)),  # Copilot
    Sign(FaultKind.TOO_LARGE, labels=("request_too_large", "payload_too_large", "request_entity_too_large")),
    # Money:
    # Gemini calls every rate limit a quota and tells to check the billing; a limit of 0 means: not in this plan.
    Sign(
        FaultKind.MODEL_GONE,
        labels=("resource_exhausted",),
        texts=("limit: 0,", "limit: 0\n"),
        providers=("google",),
    ),
    Sign(FaultKind.RATE_LIMITED, labels=("resource_exhausted",), providers=("google",)),
    # Qwen calls its tokens per minute a quota.
    Sign(
        FaultKind.RATE_LIMITED,
        labels=("insufficient_quota", "throttling.allocationquota"),
        providers=("alibaba",),
        statuses=(429,),
    ),
    Sign(
        FaultKind.QUOTA_EXHAUSTED,
        labels=(
            "insufficient_quota",  # OpenAI
            "credit_balance_exhausted",  # OpenAI, and the three below
            "organization_usage_limit_exceeded",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "billing_hard_limit_reached",
            "billing_not_active",
            "billing_error",  # Anthropic
            "enforced_spend_limit_reached",  # Anthropic, in a 429 of type rate_limit_error
            "exceeded_current_quota_error",  # Moonshot
            "arrearage",  # Qwen
            "allocationquota.freetieronly",  # Qwen
            "insufficient_credits",
            "insufficient_balance",
            "payment_required",  # OpenRouter
            "billing_balance_not_enough",  # Novita
            "not_enough_balance",  # Novita
        ),
    ),
    Sign(FaultKind.QUOTA_EXHAUSTED, labels=("1113", "1309", "1310"), providers=("zai", "zhipuai")),
    Sign(FaultKind.QUOTA_EXHAUSTED, labels=("1008",), providers=("minimax",)),
    Sign(
        FaultKind.QUOTA_EXHAUSTED,
        texts=(
            "credit balance is too low",  # Anthropic, in a 400
            "your specified api usage limits",  # Anthropic, in a 400
            "your specified workspace api usage limits",
            "exceeded your current quota",  # OpenAI
            "exceeded your monthly included credits",  # Hugging Face
            "used all available credits",  # xAI, in a 403 or 429
            "monthly spending limit",  # xAI
            "insufficient balance",  # DeepSeek, Z.ai, SiliconFlow
            "insufficient credits",  # OpenRouter
            "requires more credits",  # OpenRouter
            "insufficient funds",
            "please check your plan and billing",  # Moonshot
            "account is in good standing",  # Qwen
        ),
    ),
    # What may not be said:
    Sign(
        FaultKind.CONTENT_FILTER,
        labels=(
            "content_filter",  # OpenAI, Azure, Moonshot
            "content_policy_violation",  # OpenAI, OpenRouter
            "responsibleaipolicyviolation",  # Azure
            "data_inspection_failed",  # Qwen
            "datainspectionfailed",
            "content_moderation",
            "moderation_blocked",
        ),
    ),
    Sign(FaultKind.CONTENT_FILTER, labels=("1301",), providers=("zai", "zhipuai")),
    Sign(FaultKind.CONTENT_FILTER, labels=("1026", "1027"), providers=("minimax",)),
    Sign(
        FaultKind.CONTENT_FILTER,
        texts=(
            "content management policy",  # Azure
            "flagged as potentially violating",  # OpenAI
            "violates usage guidelines",  # xAI
            "input was flagged",  # OpenRouter, in a 403
            "content exists risk",  # DeepSeek
            "considered high risk",  # Moonshot
            "may contain inappropriate content",  # Qwen
            "output blocked by content filtering policy",  # Anthropic
        ),
    ),
    # Our key:
    Sign(
        FaultKind.CREDENTIALS,
        labels=(
            "invalid_api_key",  # OpenAI, Groq, Qwen
            "api_key_invalid",  # Gemini, in a 400
            "authentication_error",  # Anthropic
            "invalid_authentication_error",  # Moonshot
            "incorrect_api_key_error",  # Moonshot
            "unauthenticated",  # Gemini
            "invalidapikey",  # Qwen
            "wrong_api_key",  # Cerebras
        ),
    ),
    Sign(FaultKind.CREDENTIALS, labels=("1000", "1001", "1002", "1003", "1004"), providers=("zai", "zhipuai")),
    Sign(FaultKind.CREDENTIALS, labels=("1004", "2049"), providers=("minimax",)),
    Sign(
        FaultKind.CREDENTIALS,
        texts=(
            "incorrect api key",
            "api key not valid",
            "invalid api key",
            "api key expired",
        ),  # xAI and Gemini in a 400
        statuses=(200, 400, 401, 403),
    ),
    # The model:
    Sign(
        FaultKind.MODEL_GONE,
        labels=(
            "model_not_found",  # OpenAI, Hugging Face, Qwen
            "model_decommissioned",  # Groq, in a 400
            "model_terms_required",  # Groq, in a 400
            "model_permission_blocked_project",  # Groq, in a 403
            "model_permission_blocked_org",
            "model_not_available",  # Together
            "model_not_supported",  # Hugging Face, in a 400
            "unknown_model",  # GitHub Models, in a 400
            "invalid_model",  # Mistral, Perplexity, in a 400
            "deploymentnotfound",  # Azure
            "modelnotfound",  # Qwen
        ),
    ),
    Sign(FaultKind.MODEL_GONE, labels=("1211",), providers=("zai", "zhipuai")),
    Sign(
        FaultKind.MODEL_GONE,
        texts=(
            "model not exist",  # DeepSeek, in a 400
            "is not a valid model id",  # OpenRouter, in a 400
            "no endpoints found",  # OpenRouter
            "has been decommissioned",
            "unknown model",  # MiniMax
            "do not have access to it",  # OpenAI, in a 403
        ),
        statuses=(200, 400, 403, 404, 422),
    ),
    Sign(FaultKind.PERMISSION, texts=("user location is not supported",), statuses=(400,)),  # Gemini
    # Bedrock says "access denied" of a model that is not enabled; the others of that account are.
    Sign(
        FaultKind.MODEL_GONE,
        labels=("accessdeniedexception",),
        texts=("access to the model", "foundation-model/", "inference-profile/"),
    ),
    Sign(
        FaultKind.MODEL_GONE,
        labels=("validationexception", "resourcenotfoundexception"),
        texts=("model identifier is invalid", "on-demand throughput", "end of its life", "legacy", "model not found"),
    ),
    Sign(FaultKind.MODEL_GONE, labels=("operationnotsupported",)),  # Azure: this deployment answers to another API
    Sign(
        FaultKind.CREDENTIALS,
        labels=(
            "unrecognizedclientexception",  # AWS, and the rest of these
            "invalidsignatureexception",
            "incompletesignatureexception",
            "missingauthenticationtokenexception",
            "expiredtokenexception",
            "invalidclienttokenid",
        ),
    ),
    # No room now:
    Sign(
        FaultKind.OVERLOADED,
        labels=(
            "overloaded",
            "overloaded_error",  # Anthropic
            "engine_overloaded_error",  # Moonshot, in a 429
            "service_tier_capacity_exceeded",  # Mistral, in a 429
            "provider_overloaded",  # OpenRouter
            "provider_unavailable",  # OpenRouter
            "unavailable",  # Gemini
            "unavailable_error",  # llama.cpp, while it loads the model
            "modelnotreadyexception",  # Bedrock, in a 429
            "serviceunavailableexception",  # Bedrock
            "capacity_exceeded",
            "slow_down",  # OpenAI
        ),
    ),
    Sign(FaultKind.OVERLOADED, labels=("1305",), providers=("zai", "zhipuai")),
    Sign(
        FaultKind.OVERLOADED,
        texts=(
            "model is overloaded",  # Gemini, Hugging Face
            "currently overloaded",  # Moonshot
            "service tier capacity exceeded",  # Mistral
            "is currently loading",  # Hugging Face
        ),
    ),
    Sign(
        FaultKind.RATE_LIMITED,
        labels=(
            "rate_limit_exceeded",  # OpenAI, Groq, OpenRouter
            "rate_limit_error",  # Anthropic
            "rate_limit_reached_error",  # Moonshot
            "resource_exhausted",  # Gemini, through another host
            "throttling",  # Qwen, and the three below
            "throttling.ratequota",
            "throttling.burstrate",
            "limit_requests",
            "too_many_requests",
            "throttlingexception",  # Bedrock
            "servicequotaexceededexception",  # Bedrock, in a 400
        ),
    ),
    Sign(FaultKind.RATE_LIMITED, labels=("1302", "1303", "1304", "1308"), providers=("zai", "zhipuai")),
    Sign(FaultKind.RATE_LIMITED, labels=("1002",), providers=("minimax",)),
    # Nothing but its own words to go by:
    Sign(FaultKind.REQUEST_TIMEOUT, labels=("timeout_error", "deadline_exceeded", "timeout", "modeltimeoutexception")),
    Sign(FaultKind.BROKEN_ANSWER, labels=("damaged_event_stream",)),  # ours: a checksum of Bedrock's stream is wrong
    Sign(
        FaultKind.SERVER_ERROR,
        labels=(
            "server_error",
            "api_error",
            "internal_error",
            "internal_server_error",
            "internal",
            "internalserverexception",  # Bedrock, and the two below
            "modelstreamerrorexception",
            "modelerrorexception",
        ),
        statuses=INSIDE_AN_ANSWER,
    ),
    Sign(
        FaultKind.PERMISSION,
        labels=("permission_error", "permission_denied", "permission_denied_error"),
        statuses=INSIDE_AN_ANSWER,
    ),
    Sign(
        FaultKind.MODEL_GONE,
        labels=("not_found_error", "not_found", "resource_not_found_error"),
        statuses=INSIDE_AN_ANSWER,
    ),
    Sign(
        FaultKind.INVALID_REQUEST,
        labels=(
            "invalid_request_error",
            "invalid_argument",
            "invalid_request",
            "badrequesterror",
            "validationexception",
        ),
        statuses=INSIDE_AN_ANSWER,
    ),
)
