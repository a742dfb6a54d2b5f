"""Every fuzz target, by name."""

from tests.fuzz import answers, files, framings, headers, refusing, requests
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {
    target.name: target for part in (framings, requests, answers, refusing, headers, files) for target in part.TARGETS
}
