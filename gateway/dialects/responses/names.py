"""What this format is called, and how its words for an end translate."""

DIALECT = "openai_responses"
FAMILY = "openai"  # whose sealed thoughts go through it bare

FINISH_OF_INCOMPLETE = {"content_filter": "content_filter"}  # every other reason is a limit that was met
INCOMPLETE_OF_FINISH = {
    "length": "max_output_tokens",
    "context_window": "max_output_tokens",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}
# Calls that the caller carries out, beside functions and custom tools: an answer with one of them waits for him.
CALLS_OF_THE_CALLER = ("local_shell_call", "shell_call", "apply_patch_call", "computer_call")


def finish_of(status: str, reason: str, has_calls: bool) -> str:
    """The finish that a status means, with the reason for "incomplete"."""
    if status == "incomplete":
        return FINISH_OF_INCOMPLETE.get(reason, "length")
    return "tool_calls" if has_calls else "stop"


def incomplete_of(finish: str, has_refusal: bool) -> str:
    """Why an answer is incomplete; "" when it is whole. A refusal in words is an answer."""
    return "" if finish == "refusal" and has_refusal else INCOMPLETE_OF_FINISH.get(finish, "")
