"""The joint between what a caller has of an answer and what another model says next: nothing twice, nothing lost."""


class Joint:
    """Reads the beginning of what a target says, and gives of it what the caller does not have.

    shown: what the target was told to go on from. trimmed: white space behind it that the caller has and the target was
    not shown, so it may begin with the same. repeats: the target may say again all that it was shown.
    """

    __slots__ = ("_heard", "_shown", "_trimmed")

    def __init__(self, shown: str, trimmed: str, *, repeats: bool) -> None:
        self._shown = shown if repeats else ""
        self._trimmed = trimmed
        self._heard = ""  # as much of a repetition as there is so far

    def take(self, text: str) -> str:
        """The part of `text`, and of what was held back before it, that is new."""
        if self._shown:
            text = self._heard + text
            if len(text) < len(self._shown) and self._shown.startswith(text):
                self._heard = text
                return ""
            text = text.removeprefix(self._shown)
            self._shown = self._heard = ""
        while text and self._trimmed:
            if text[0] != self._trimmed[0]:
                self._trimmed = ""
                break
            text, self._trimmed = text[1:], self._trimmed[1:]
        return text

    def rest(self) -> str:
        """What was held back at the end of the answer: half a repetition is none."""
        heard, self._shown, self._heard = self._heard, "", ""
        return self.take(heard)
