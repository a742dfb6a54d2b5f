"""A provider that plays a part: it calls a tool with the arguments it was given, then says what came of it.

The simulator calls tools with made-up arguments, which nobody wants a real agent to carry out.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from threading import Thread
from typing import Any

from msgspec import Struct

MODEL = "actor/plays"
SETTINGS = """\
providers:
  actor:
    base_url: {url}/v1
    models:
      - id: actor/plays
        abilities: [tools, images, files, json_schema, reasoning]
        context_window: 400000
        max_output_tokens: 64000
        input_price_usd: 1
        output_price_usd: 2
"""
USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
ASIDE = "Nothing to do."  # to a request that is not of the loop: a title, a summary, a warm-up


class Call(Struct, frozen=True):
    """A tool, and the arguments it is called with."""

    tool: str
    arguments: dict[str, object]


Line = Call | str  # in what is said, {result} stands for what the last tool has given back


class Actor:
    """Serves OpenAI's Chat Completions on a free port of loopback until `stop`."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self.results: list[str] = []  # of tools, as they came back with the last request
        actor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                message = actor.answer(request)
                body = stream(message) if request.get("stream") else whole(message)
                self.send_response(200)
                self.send_header("content-type", "text/event-stream" if request.get("stream") else "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def settings(self) -> str:
        """Of a gateway that knows nobody else."""
        return SETTINGS.format(url=self.url)

    def play(self, *lines: Line) -> None:
        """From now on, one line for each request; the last is kept to."""
        self._lines, self.results = list(lines), []

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The assistant's message."""
        line = self._lines[0]
        offered = {tool["function"]["name"] for tool in request.get("tools") or () if "function" in tool}
        if {call.tool for call in self._lines if isinstance(call, Call)} - offered:
            return {"role": "assistant", "content": ASIDE}
        results = [text_of(message["content"]) for message in request["messages"] if message["role"] == "tool"]
        if results:
            self.results = results
        if len(self._lines) > 1:
            del self._lines[0]
        if isinstance(line, str):
            return {"role": "assistant", "content": line.replace("{result}", results[-1] if results else "")}
        call = {"name": line.tool, "arguments": json.dumps(line.arguments)}
        entry = {"index": 0, "id": f"call_actor{len(results)}", "type": "function", "function": call}
        return {"role": "assistant", "content": None, "tool_calls": [entry]}

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def text_of(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content or ())


def finish_of(message: dict[str, Any]) -> str:
    return "tool_calls" if "tool_calls" in message else "stop"


def head(kind: str) -> dict[str, Any]:
    """What every answer begins with. Each has an id of its own: the SDKs tell turns apart by it."""
    return {"id": f"chatcmpl-{token_hex(8)}", "object": kind, "created": 1, "model": MODEL}


def whole(message: dict[str, Any]) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": finish_of(message)}
    return json.dumps(head("chat.completion") | {"choices": [choice], "usage": USAGE}).encode()


def stream(message: dict[str, Any]) -> bytes:
    """Three chunks and the end."""
    last = {"index": 0, "delta": {}, "finish_reason": finish_of(message)}
    choices: list[list[dict[str, Any]]] = [[{"index": 0, "delta": message, "finish_reason": None}], [last], []]
    same = head("chat.completion.chunk")
    chunks = [same | {"choices": part} | ({} if part else {"usage": USAGE}) for part in choices]
    return b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks) + b"data: [DONE]\n\n"
