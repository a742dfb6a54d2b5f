"""Something that must reach a provider and nobody else."""


class Secret:
    """A key that never shows itself: str, repr, JSON and pickle are `***`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself; called only where upstream headers are built."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __reduce__(self) -> tuple[type["Secret"], tuple[str]]:
        return (Secret, ("***",))
