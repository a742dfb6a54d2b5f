from collections.abc import Sequence

from core.text import Features

def extract(texts: Sequence[bytes], focus: int = -1) -> Features: ...
