"""Plausible prose: one book per seed; an answer is a passage from it under a heading of its own."""

from bisect import bisect_left
from itertools import accumulate

from gateway.simulator.dice import Dice

BOOK_SENTENCES = 900
LONGEST_SENTENCE = 16  # tokens
HEADING_TOKENS = 4


def _words(text: str, between: str = " ") -> tuple[str, ...]:
    return tuple(text.split(between))


ADJECTIVES = _words(
    "quiet early amber careful distant honest narrow patient silver steady bright gentle hollow modest northern plain "
    "rapid shallow tidy useful weathered young ancient brisk common deep even faint green heavy idle light"
)
NOUNS = _words(
    "harbour ledger balance market window river orchard signal bridge lantern merchant compass archive garden engine "
    "valley letter measure journey anchor basket candle district estate festival granary island kettle library mill "
    "needle office parcel quarry railway scale tower village wagon yard café façade"
)
VERBS = _words(
    "weighs carries follows measures answers crosses gathers keeps lifts marks notices opens passes reaches sorts "
    "turns warms balances counts draws explains frames guides holds invites joins"
)
PLACES = _words("beyond beside under above across near past towards along behind within outside")
OPENINGS = _words(
    "In the morning|After a while|By most accounts|For that reason|Without much noise|As a rule|Now and then|"
    "In practice|On the whole|At the edge of town|Once the ink is dry|With a steady hand|Naïvely put|À propos",
    "|",
)
MARKS = (".", ".", ".", ".", ".", "!", " — so it is said.", "; that much is certain.")


class Book:
    """Tokens of prose, and where its sentences begin. A token is a word with the space before it, or a mark."""

    def __init__(self, seed: int) -> None:
        dice = Dice(b"book %d" % seed)
        self._tokens: list[str] = []
        self._starts: list[int] = []
        for _ in range(BOOK_SENTENCES):
            self._starts.append(len(self._tokens))
            self._tokens += sentence(dice)
        self._twice = self._tokens + self._tokens
        self._text = "".join(self._twice)
        self._ends = list(accumulate(map(len, self._twice)))

    def passage(self, dice: Dice, tokens: int) -> list[str]:
        """`tokens` tokens, at least 1: a heading that only this throw has, then running sentences."""
        number = dice.below(1_000_000)
        heading = [dice.pick(ADJECTIVES).capitalize(), " " + dice.pick(NOUNS), f" {number:06d}", ":"]
        start = self._starts[number % len(self._starts)]
        length = len(self._tokens)
        body: list[str] = []
        while len(body) < tokens:
            body += self._twice[start : start + min(length, tokens - len(body))]
        if body[0][0] != " ":
            body[0] = " " + body[0]
        passage = (heading + body)[:tokens]
        if passage[-1][0] == " ":
            passage[-1] = "."
        return passage

    def rest(self, beginning: str, tokens: int | None) -> list[str]:
        """What follows the beginning of a passage of this book: so that it has `tokens` in all, else its sentence.

        A beginning that is from no passage goes on with the book's first sentence.
        """
        heading, colon, said = beginning.partition(":")
        number = heading.rpartition(" ")[2] if colon else ""
        first = self._starts[int(number) % len(self._starts)] if number.isdecimal() else 0
        start = self._ends[first - 1] if first else 0
        if not number.isdecimal() or self._text[start : start + len(said)] != said:
            return self._tokens[: self._starts[1]]
        last = bisect_left(self._ends, start + len(said)) if said else first - 1
        cut = self._ends[last] - start - len(said) if said else 0  # characters of its last token that are still to come
        rest = [self._twice[last][-cut:]] if cut else []
        if tokens is None:
            end = next(place for place in range(last + 1, len(self._twice)) if self._twice[place] in MARKS)
            return rest + self._twice[last + 1 : end + 1]
        missing = max(0, tokens - HEADING_TOKENS - (last - first + 1))
        rest += self._twice[last + 1 : last + 1 + missing]
        if missing and rest[-1][0] == " ":
            rest[-1] = "."
        return rest

    def sentences(self, dice: Dice, tokens: int) -> list[str]:
        """The same passage on to the end of its sentence: fewer than `LONGEST_SENTENCE` tokens more."""
        longer = self.passage(dice, tokens + LONGEST_SENTENCE)
        end = next(row for row in range(tokens - 1, len(longer)) if longer[row] in MARKS)
        return longer[: end + 1]


def sentence(dice: Dice) -> list[str]:
    """One sentence; its first token carries the space that parts it from the one before."""
    subject = [" the", " " + dice.pick(ADJECTIVES), " " + dice.pick(NOUNS)]
    target = [" the", " " + dice.pick(NOUNS), " " + dice.pick(PLACES), " the", " " + dice.pick(NOUNS)]
    if dice.below(3) == 0:
        opening = dice.pick(OPENINGS).split(" ")
        subject = [*(" " + word for word in opening), ",", *subject]
    else:
        subject[0] = " The"
    return [*subject, " " + dice.pick(VERBS), *target, dice.pick(MARKS)]
