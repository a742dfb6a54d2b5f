# mypy: ignore-errors
"""`told` is what `steelyard setup langchain` prints."""

import sys
from pathlib import Path

from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from told import model

made, asked = Path(sys.argv[1]), sys.argv[2]


@tool
def append(line: str) -> str:
    """Append a line to the file and say what it holds."""
    with made.open("a") as file:
        file.write(line + "\n")
    return made.read_text()


messages = [HumanMessage(asked)]
while True:
    answer = None
    for chunk in model.bind_tools([append]).stream(messages):
        answer = chunk if answer is None else answer + chunk
    messages.append(answer)
    if not answer.tool_calls:
        break
    messages += [append.invoke(call) for call in answer.tool_calls]
assert answer.usage_metadata["output_tokens"] > 0
print(answer.text)
