"""What a Gemini request cannot say, collected in the caller's words."""

from gateway.wire.conversation import Loss

LIST_OF_TURNS = {"gemini": "contents", "openai_responses": "input"}


class Losses:
    """Each field once, however often it is met."""

    def __init__(self, origin: str) -> None:
        self._found: dict[str, Loss] = {}
        self._turns = LIST_OF_TURNS.get(origin, "messages")

    def add(self, field: str, reason: str) -> None:
        """field: as the caller calls it."""
        self._found.setdefault(field, Loss(field, reason))

    def add_in_turn(self, turn: int, member: str, reason: str) -> None:
        """member: what of that turn is lost."""
        self.add(f"{self._turns}[{turn}].{member}", reason)

    def all(self) -> tuple[Loss, ...]:
        return tuple(self._found.values())
