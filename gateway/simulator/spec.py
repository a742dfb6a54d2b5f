"""Which fault is asked for: `F53;after=5`; for one provider, model or target each: `sim-alpha=F29,sim-bravo=F50`."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

GOOD = "OK"  # no fault; carries the parameters that any answer takes


class SpecError(ValueError):
    """The wish cannot be read; the message says what is wrong with it."""


class Spec(Struct, frozen=True):
    """One fault with its parameters, as written."""

    fault: str
    parameters: dict[str, str] = {}

    def __str__(self) -> str:
        return ";".join([self.fault, *(f"{name}={value}" for name, value in self.parameters.items())])


def parse_spec(text: str) -> Spec:
    """The spec in "F53;after=5". Whether there is such a fault is the table's to say."""
    fault, *pairs = (part.strip() for part in text.split(";"))
    parameters = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SpecError(f"{pair!r} in {text!r} is not name=value")
        parameters[name.strip()] = value.strip()
    return Spec(fault, parameters)


def spec_for(header: str, names: tuple[str, ...]) -> Spec | None:
    """The first entry of `header` that is for everyone or for one of `names`: the provider, the model, the target."""
    for whom, spec in _entries(header):
        if not whom or whom in names:
            return spec
    return None


def _entries(header: str) -> Iterator[tuple[str, Spec]]:
    for entry in header.split(","):
        if not entry.strip():
            continue
        target, equals, rest = entry.partition(";")[0].partition("=")
        if equals:
            yield target.strip(), parse_spec(rest + entry[len(entry.partition(";")[0]) :])
        else:
            yield "", parse_spec(entry)


def merged(defaults: Mapping[str, str], spec: Spec) -> dict[str, str]:
    """Every parameter with its value; one that the fault does not have is an error."""
    unknown = spec.parameters.keys() - defaults.keys()
    if unknown:
        raise SpecError(f"{spec.fault} has no parameter {sorted(unknown)[0]!r}; it has {', '.join(sorted(defaults))}")
    for name, value in spec.parameters.items():
        if _is_number(defaults[name]) and not _is_number(value):
            raise SpecError(f"{name}={value} of {spec.fault} is not a number of 0 or more")
    return {**defaults, **spec.parameters}


def _is_number(text: str) -> bool:
    try:
        return 0 <= float(text) < 1e12
    except ValueError:
        return False
