"""The prompts that the predictor learns from: phrasings written by hand, spelled out, and 500 prompts of real users.

A line of `prompts/<task>.txt` is one phrasing with alternatives, "{Write|Draft} a poem about {rain|my cat}", and slots
such as {code} or {mail}, filled from `prompts/materials.txt`. `prompts/terms.txt` crosses lists of terms with short
phrasings. Which of the many spellings are taken is a matter of the seed, and of nothing else.
"""

import hashlib
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from core.tasks import TEXT_TASKS

FOLDER = Path(__file__).parent
PROMPTS = FOLDER / "prompts"
REAL = FOLDER / "data" / "arena_hard.jsonl"
LANGUAGES = FOLDER / "data" / "languages.jsonl"

MOST_SPELLINGS = 24  # of one line
PER_TERM = 2
WRAPPED_SHARE = 0.3  # of the written prompts stand in something like "Hi! ... Thanks"
OPENED_SHARE = 0.25  # have a system prompt before them, which says nothing of the task
LEVELS = {1: 0.1, 2: 0.3, 3: 0.5, 4: 0.7, 5: 0.9}  # the writer's judgement -> difficulty

SLOT = re.compile(r"\{(code|text|mail|data|talk|review|story|error)\}")
CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")


class Example(Struct, frozen=True):
    """One prompt with what is to be learnt from it."""

    task: int  # index into TEXT_TASKS
    difficulty: float | None  # 0-1
    opening: str
    focus: str
    weight: float  # spellings of one line share the weight of one
    line: str  # the phrasing it comes from: whoever holds one spelling out holds out all


class Line(Struct, frozen=True):
    text: str
    level: int


def written(seed: int) -> list[Example]:
    """Everything written by hand, spelled out."""
    rng = random.Random(seed)
    materials = _materials()
    wrappers, openings = _lines(PROMPTS / "wrappers.txt"), _lines(PROMPTS / "systems.txt")
    examples = []
    for task, name in enumerate(TEXT_TASKS):
        for number, line in enumerate(_phrasings(name)):
            spellings = _spellings(line.text, materials, rng)
            for spelling in spellings:
                wrapper = rng.choice(wrappers) if rng.random() < WRAPPED_SHARE else "{prompt}"
                opening = rng.choice(openings) if rng.random() < OPENED_SHARE else ""
                text = wrapper.replace("{prompt}", spelling)
                weight = 1 / len(spellings)
                examples.append(Example(task, LEVELS[line.level], opening, text, weight, f"{name} {number}"))
    return examples + list(_on_terms(rng))


def real() -> list[Example]:
    """Prompts of real users, with the tasks that we read in them; how hard they are was not judged."""
    rows = [json.loads(line) for line in REAL.read_text().splitlines()]
    return [Example(TEXT_TASKS.index(row["task"]), None, "", row["text"], 1.0, f"real {row['id']}") for row in rows]


def in_other_languages() -> list[tuple[str, str]]:
    """Task and text of prompts in seven languages, ten of each, that nothing is trained on."""
    rows = [json.loads(row) for row in LANGUAGES.read_text().splitlines()]
    return [(row["task"], row["text"]) for row in rows]


def fingerprint() -> str:
    """SHA-256 over every file that the weights are made from, names included."""
    digest = hashlib.sha256()
    for path in (*sorted(PROMPTS.glob("*.txt")), REAL):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _on_terms(rng: random.Random) -> Iterator[Example]:
    for name, (templates, terms) in _term_lists().items():
        for term in terms:
            for _ in range(PER_TERM):
                text = _chosen(rng.choice(templates).replace("{term}", "\0"), rng).replace("\0", term, 1)
                while "\0" in text:
                    text = text.replace("\0", rng.choice(terms), 1)
                yield Example(TEXT_TASKS.index(name), LEVELS[2], "", text, 1 / PER_TERM, f"{name} term {term}")


def _spellings(phrasing: str, materials: Mapping[str, Sequence[str]], rng: random.Random) -> list[str]:
    """Different spellings of one line, MOST_SPELLINGS at most."""
    ways = 3 if SLOT.search(phrasing) else 1
    for choice in CHOICE.finditer(phrasing):
        ways *= choice[1].count("|") + 1
    wanted = min(ways, MOST_SPELLINGS)
    found: dict[str, None] = {}
    for _ in range(2 * wanted):
        text = SLOT.sub(lambda slot: rng.choice(materials[slot[1]]), _chosen(phrasing, rng))
        found[text] = None
        if len(found) == wanted:
            break
    return list(found)


def _chosen(phrasing: str, rng: random.Random) -> str:
    """One way through the alternatives, innermost first."""
    while match := CHOICE.search(phrasing):
        phrasing = phrasing[: match.start()] + rng.choice(match[1].split("|")) + phrasing[match.end() :]
    return phrasing


def _phrasings(task: str) -> Iterator[Line]:
    level = 0
    for line in _lines(PROMPTS / f"{task}.txt"):
        if line.startswith("# level "):
            level = int(line.removeprefix("# level "))
        else:
            yield Line(line, level)


def _materials() -> dict[str, list[str]]:
    """Kind -> texts, each as it stands between two headings."""
    found: dict[str, list[str]] = {}
    for part in (PROMPTS / "materials.txt").read_text().split("== ")[1:]:
        kind, _, text = part.partition("\n")
        found.setdefault(kind, []).append(text.strip("\n"))
    return found


def _term_lists() -> dict[str, tuple[list[str], list[str]]]:
    """Task -> phrasings with {term}, and the terms."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for part in (PROMPTS / "terms.txt").read_text().split("== ")[1:]:
        name, _, rest = part.partition("\n# templates\n")
        templates, _, terms = rest.partition("\n# terms\n")
        found[name.strip()] = templates.splitlines(), [term.strip() for term in terms.split(", ")]
    return found


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.strip()]
