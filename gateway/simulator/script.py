"""Faults that are set beforehand, for a provider, a model, a key, a span of time or a number of requests."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from gateway.simulator.faults.table import resolved
from gateway.simulator.spec import Spec, SpecError, parse_spec

PORT_FAULTS = frozenset({"F01", "F03", "F06"})  # a script applies these to the port, before any request


class Rule(Struct, forbid_unknown_fields=True):
    """One line of the script, as `POST /_sim/script` takes it."""

    provider: str  # "*": every provider
    fault: str  # "F53;after=5"; "OK" is a rule too
    model: str = ""  # as the caller names it; "": every model
    key: str = ""  # bearer token; "": every key
    times: Annotated[int, Meta(ge=1)] | None = None  # so many requests; None: no end
    from_s: Annotated[float, Meta(ge=0)] = 0.0  # seconds from now
    to_s: Annotated[float, Meta(ge=0)] | None = None  # seconds from now; None: no end


class Line(Struct):
    """A rule at work. Times are monotonic seconds."""

    rule: Rule
    spec: Spec
    begins: float
    ends: float
    left: float  # requests; inf: no limit


RULES = msgspec.json.Decoder(Rule | list[Rule])


class Script:
    """The rules, newest first: what was said last counts."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def add(self, rule: Rule, now: float) -> Line:
        """Put `rule` to work, or say with a `SpecError` what is wrong with it."""
        spec = parse_spec(rule.fault)
        resolved(spec)
        if spec.fault in PORT_FAULTS and (rule.model or rule.key or rule.times):
            raise SpecError(f"{spec.fault} befalls a whole port: only provider, from_s and to_s apply")
        ends = float("inf") if rule.to_s is None else now + rule.to_s
        line = Line(rule, spec, now + rule.from_s, ends, float("inf") if rule.times is None else rule.times)
        self.lines.insert(0, line)
        return line

    def spec_for(self, provider: str, model: str, key: str, now: float) -> Spec | None:
        """What is to happen to this request; it counts towards `times`."""
        for line in self.lines:
            rule = line.rule
            if (
                line.left > 0
                and line.begins <= now < line.ends
                and rule.provider in ("*", provider)
                and rule.model in ("", model)
                and rule.key in ("", key)
                and line.spec.fault not in PORT_FAULTS
            ):
                line.left -= 1
                return line.spec
        return None
