"""Errors in the middle of an answer. Those in the place of one look like Chat Completions'."""

CODE_OF_STATUS = {429: "rate_limit_exceeded"}
OTHER = "server_error"


def code_of(code: int | str) -> str:
    """A code that clients of this format know, for a status. A word stays what it is."""
    if isinstance(code, str) and not code.isdecimal():
        return code or OTHER
    return CODE_OF_STATUS.get(int(code), OTHER)
