"""Counts as people write them."""


def counted(count: int, noun: str) -> str:
    """ "1 model", "0 models", "1,200 models"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
