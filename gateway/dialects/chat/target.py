"""What a target takes of this format, and beyond it."""

from gateway.dialects.chat.words import DIALECT, OPENAI
from gateway.dialects.contract import TargetManner
from gateway.wire.conversation import Conversation


class Target:
    """One target and one caller. A caller who speaks this format himself is taken at his word."""

    def __init__(self, conversation: Conversation, manner: TargetManner) -> None:
        self.manner = manner
        self.is_callers_format = conversation.origin == DIALECT
        # Only OpenAI and who hosts its models take custom tools, allowed_tools, the role developer and refusals.
        self.has_all_of_openai = self.is_callers_format or manner.family == OPENAI

    def takes(self, extension: str) -> bool:
        """Whether it understands a member that OpenAI's definition does not have."""
        return self.is_callers_format or extension in self.manner.extensions
