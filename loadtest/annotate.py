"""Proves that the compiled core never talks to Python inside its `nogil` code.

Rebuilds with Cython's HTML reports, in which every source line carries a score: how much Python it touches. A line of a
`nogil` function or of a `with nogil:` block must score 0.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

REPORTS = Path("build/cython/core")
LINE = re.compile(r'<pre class="cython line score-(\d+)"[^>]*>(?:[^\n]*?)<span class="">(\d+)</span>')
FUNCTION_END = re.compile(r"\)[^)]*\bnogil\s*:\s*(#.*)?$")
SIGNATURE_START = re.compile(r"\s*(cdef|cpdef)\b.*\(")


def main() -> None:
    subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
        env={**os.environ, "ANNOTATE": "1"},
        check=True,
    )
    faults = [fault for source in sorted(Path("core").glob("_*_cy.pyx")) for fault in faults_of(source)]
    print("\n".join(faults) or "annotate: no nogil line talks to Python")
    sys.exit(1 if faults else 0)


def faults_of(source: Path) -> Iterator[str]:
    """One message per line of nogil code that scores above 0."""
    report = REPORTS / f"{source.stem}.html"
    scores = {int(number): int(score) for score, number in LINE.findall(report.read_text())}
    lines = source.read_text().splitlines()
    if len(scores) != len(lines):
        raise SystemExit(
            f"{report}: {len(scores)} scored lines for the {len(lines)} of {source}; its format has changed"
        )
    checked = nogil_lines(lines)
    if not checked:
        yield f"{source}: has no nogil code"
    for number in checked:
        if scores[number] > 0:
            yield f"{source}:{number}: scores {scores[number]}: {lines[number - 1].strip()}"


def nogil_lines(lines: list[str]) -> list[int]:
    """Numbers, from 1, of the lines in bodies of nogil functions and of `with nogil:` blocks."""
    inside: list[int] = []
    body_of: int | None = None  # indentation of the statement whose nogil body we are in
    signature: int | None = None  # indentation of the signature that we are reading
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        indentation = len(line) - len(line.lstrip())
        if body_of is not None and indentation <= body_of and not line.lstrip().startswith(")"):
            body_of = None
        if body_of is not None:
            inside.append(number)
            continue
        if SIGNATURE_START.match(line):
            signature = indentation
        if line.strip() == "with nogil:":
            body_of = indentation
        elif signature is not None and FUNCTION_END.search(line):
            body_of, signature = signature, None
    return inside


if __name__ == "__main__":
    main()
