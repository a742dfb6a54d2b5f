# mypy: ignore-errors
"""`told` is what `steelyard setup pydantic-ai` prints."""

import sys
from pathlib import Path

from told import agent

made, asked = Path(sys.argv[1]), sys.argv[2]


@agent.tool_plain
def append(line: str) -> str:
    """Append a line to the file and say what it holds."""
    with made.open("a") as file:
        file.write(line + "\n")
    return made.read_text()


result = agent.run_sync(asked)
assert result.usage.output_tokens > 0
print(result.output)
