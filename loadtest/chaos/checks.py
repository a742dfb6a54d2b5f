"""What must be true of a cell. Each check names what is wrong in a sentence; nothing said means that it passed."""

import json
import re
from collections.abc import Callable, Iterator

from loadtest.chaos.cells import Arrangement
from loadtest.chaos.evidence import Evidence
from loadtest.chaos.faults import TOKENS_BEFORE_BREAK, Ending
from loadtest.chaos.formats import decoded, is_error_of
from loadtest.chaos.stage import KEY

LONGEST_WAIT_SECONDS = 3600
FORBIDDEN = (KEY, "Traceback (most recent call last)", "<html", "<!doctype html")
FOREIGN_HEADERS = ("set-cookie", "access-control-allow-origin", "proxy-authenticate", "x-padding", "location")
MOST_ESTIMATE_RATIO = 2.0  # our own count of tokens is by bytes
LEAST_ESTIMATE_SLACK = 4  # tokens
Said = Iterator[str]


def complaints(seen: Evidence) -> list[str]:
    """All that is wrong with this cell."""
    found = [said for check in CHECKS for said in check(seen)]
    if not seen.is_outside:
        found += [said for check in INSIDE for said in check(seen)]
    return found


def ending_of(seen: Evidence) -> Ending:
    """How it had to end, the freedoms that the specification leaves resolved by how it did."""
    ending = seen.cell.row.ending(seen.cell.stream)
    if ending is Ending.CUT and is_passed_on(seen):
        return Ending.NEXT  # the break was read together with the first words, before any of them had been sent on
    if ending is Ending.GOOD_OR_CUT:
        return Ending.CUT if seen.told.errors else Ending.GOOD
    if ending is Ending.GOOD_OR_NEXT:
        return Ending.NEXT if is_passed_on(seen) else Ending.GOOD
    return ending


def is_passed_on(seen: Evidence) -> bool:
    """Whether the caller never saw the first candidate's answer: another's came, or an error in place of one.

    Of a foreign gateway no calls are known, but a whole answer is never that of a stream which breaks.
    """
    is_whole = seen.is_outside and "".join(seen.reference) == seen.told.text
    return bool(seen.calls_of(is_bad=False)) or is_whole or seen.heard.status != 200


def is_refused(seen: Evidence) -> bool:
    """Whether an error is the right answer: nobody else could give another."""
    ending = ending_of(seen)
    if ending in (Ending.NEXT, Ending.LARGER):
        return seen.cell.arrangement is not Arrangement.FIRST
    return ending is Ending.CALLER


def outcome(seen: Evidence) -> Said:
    """(a) Status and form."""
    heard, row = seen.heard, seen.cell.row
    if heard.broken:
        yield f"the connection broke: {heard.broken}"
    if not is_refused(seen):
        if heard.status != 200:
            yield f"status {heard.status} where an answer was to be had: {heard.body[:200].decode('utf-8', 'replace')}"
        return
    if heard.status not in row.statuses:
        yield f"status {heard.status}, not {' or '.join(map(str, row.statuses))}"
    document = decoded(heard.body.decode("utf-8", "replace"))
    if document is None or not is_error_of(seen.cell.format, document):
        yield f"not an error document of the caller's format: {heard.body[:80]!r}"
    yield from waits(seen)


def waits(seen: Evidence) -> Said:
    """What an error says about asking again."""
    heard = seen.heard
    stated = heard.header("retry-after")
    if heard.status in (429, 503):
        if not stated.isdecimal() or not 0 < int(stated) <= LONGEST_WAIT_SECONDS:
            yield f"status {heard.status} with retry-after {stated!r}"
        elif seen.cell.row.id in ("F11", "F12", "F13", "F14", "F16", "F31") and int(stated) > 8:
            yield f"retry-after {stated}, but the provider said 7 s"
    elif heard.status in (502, 504) and not seen.is_outside and heard.header("x-should-retry") != "false":
        yield f"status {heard.status} without x-should-retry: false, so an SDK asks again"


def text(seen: Evidence) -> Said:
    """(b) Every word that was due, and no other."""
    told, ending = seen.told, ending_of(seen)
    if seen.heard.status != 200 or is_refused(seen):
        return
    if ending is Ending.CUT:
        yield from beginning(seen)
    elif seen.cell.row.id != "F78":
        due = "".join(seen.bad_reference if ending is Ending.GOOD else seen.reference)
        if scrubbed(told.text) not in (scrubbed(due), scrubbed(due + seen.cell.row.may_add)):
            yield f"the text is {told.text[:60]!r} ({len(told.text)} characters), not {due[:60]!r} ({len(due)})"


def beginning(seen: Evidence) -> Said:
    """Of a stream that broke: whole tokens, all that were written, none made up."""
    told = seen.told
    if not told.text or not "".join(seen.reference).startswith(told.text):
        yield f"{told.text[:60]!r} is no beginning of the answer"
    written = "".join(seen.reference[:TOKENS_BEFORE_BREAK])
    # After a reset the kernel may throw away what we had not read yet.
    if told.text != written and seen.cell.row.id != "F54":
        yield f"the caller got {len(told.text)} characters of the {len(written)} that were written before the break"


def scrubbed(said: str) -> str:
    """Lone surrogates have no place in UTF-8, so U+FFFD may stand for each."""
    return re.sub("[\ud800-\udfff]", "\ufffd", said)


def grammar(seen: Evidence) -> Said:
    """(a) One finish, one ending, or one error and no ending."""
    told, form = seen.told, seen.cell.format
    if seen.heard.status != 200:
        return
    if told.malformed:
        yield f"malformed: {told.malformed[0]!r}"
    if ending_of(seen) is Ending.CUT:
        if len(told.errors) != 1:
            yield f"{len(told.errors)} error events, not one"
        if told.endings or told.finishes:
            yield "a broken answer that says it is complete"
        return
    if told.errors:
        yield f"an error in a good answer: {told.errors[0][:80]}"
    if told.finishes != 1:
        yield f"{told.finishes} finishes, not one"
    if seen.cell.stream and form.marks_end and (told.endings != 1 or not told.is_ended_last):
        yield f"{told.endings} endings, not one at the end"
    if seen.cell.stream and form.name in ("openai_chat", "openai_completions") and told.usages != 1:
        yield f"usage told {told.usages} times, not once"


def secrets(seen: Evidence) -> Said:
    """(f) Nothing that is ours alone, nothing that is the provider's alone."""
    heard = seen.heard
    shown = [heard.body.decode("utf-8", "replace"), seen.told.text, *seen.told.errors, json.dumps(heard.headers)]
    for word in FORBIDDEN:
        if any(word in one.lower() for one in shown):
            yield "our key is in the answer" if word == KEY else f"{word!r} is in the answer"
    for name, value in heard.headers:
        if name in FOREIGN_HEADERS or value == "forged":
            yield f"the provider's header {name} reached the caller"


def calls(seen: Evidence) -> Said:
    """(c) Who was asked how often."""
    row, ending = seen.cell.row, ending_of(seen)
    bad, well = len(seen.calls_of(is_bad=True)), len(seen.calls_of(is_bad=False))
    rounds = 2 if row.is_repeatable else 1
    goes_on = ending in (Ending.NEXT, Ending.LARGER)
    most = (2 if goes_on and seen.cell.arrangement is Arrangement.ALL else 1) * rounds
    most *= 2 if row.id in ("F06", "F07", "F48") else 1  # a reused connection is tried once more, on a fresh one
    most += unseen_breaks(seen)
    least = rounds if row.is_told else 0
    if not least <= bad <= most:
        yield f"the faulty candidates were called {bad} times, not {least} to {most}"
    due = int(goes_on and seen.cell.arrangement is Arrangement.FIRST)
    if well != due:
        yield f"the candidate that is well was called {well} times, not {due}"


def unseen_breaks(seen: Evidence) -> int:
    """Candidates whose stream broke before any of it had been sent on, so that the next one was rightly asked."""
    attempts = seen.receipt["attempts"] if seen.receipt is not None and seen.cell.is_paced else []
    return sum(attempt["outcome"] == "failed" for attempt in attempts[:1]) if len(attempts) > 1 else 0


def receipt(seen: Evidence) -> Said:
    """(d) The ledger says what the provider billed for what the caller got."""
    if seen.receipt is None:
        yield "no receipt"
        return
    told = seen.receipt
    due = {200: "cut" if seen.told.errors else "ok"}.get(seen.heard.status)
    if due is not None and told["outcome"] != due:
        yield f"the receipt's outcome is {told['outcome']}, not {due}"
    if told["status"] != seen.heard.status:
        yield f"the receipt's status is {told['status']}, the caller's {seen.heard.status}"
    usage = told["usage"]
    if seen.heard.status != 200:
        if told["cost_nano_usd"] or usage["output_tokens"]:
            yield f"an error is billed: {told['cost_nano_usd']} nano-dollars"
        return
    entries = seen.calls_of(ending_of(seen) not in (Ending.NEXT, Ending.LARGER))
    if not entries:
        return
    yield from amounts(seen, usage["input_tokens"], usage["output_tokens"], usage["estimated"])


def amounts(seen: Evidence, input_tokens: int, output_tokens: int, is_estimated: bool) -> Said:
    """Of the provider who answered: exact where he said it, near where we had to count."""
    assert seen.receipt is not None
    entry = seen.calls_of(ending_of(seen) not in (Ending.NEXT, Ending.LARGER))[-1]
    vectors = not seen.cell.format.writes
    billed = (entry.prompt_tokens, 0 if vectors else entry.output_tokens)
    if not is_estimated:
        if (input_tokens, output_tokens) != billed:
            yield f"the receipt has {input_tokens} + {output_tokens} tokens, the bill {billed[0]} + {billed[1]}"
        elif seen.receipt["cost_nano_usd"] != entry.cost_nano_usd:
            yield f"the receipt says {seen.receipt['cost_nano_usd']} nano-dollars, the bill {entry.cost_nano_usd}"
        return
    if seen.cell.row.own_text:
        return  # what the simulator takes for a token there is no word
    for name, ours, theirs in (("input", input_tokens, billed[0]), ("output", output_tokens, billed[1])):
        if abs(ours - theirs) > max(LEAST_ESTIMATE_SLACK, theirs * (MOST_ESTIMATE_RATIO - 1)):
            yield f"we count {ours} tokens of {name}, the provider billed {theirs}"


CHECKS: tuple[Callable[[Evidence], Said], ...] = (outcome, text, grammar, secrets)
INSIDE: tuple[Callable[[Evidence], Said], ...] = (calls, receipt)
