"""A gateway at a cloud: the token is there before the first request, and what is not set up says what it lacks."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.running import DEADLINE_SECONDS, Gateway, stopped_after

ANSWER = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello."}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 5},
}


class Google(ThreadingHTTPServer):
    """Its metadata server and Vertex in one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Face)
        self.heard: list[tuple[str, str]] = []  # path, authorization
        self.was_asked_for_a_token = threading.Event()


class Face(BaseHTTPRequestHandler):
    server: Google

    def do_GET(self) -> None:
        self.reply({"access_token": "hidden-token", "expires_in": 3600})
        self.server.was_asked_for_a_token.set()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.reply(ANSWER)

    def reply(self, document: object) -> None:
        self.server.heard.append((self.path, self.headers.get("authorization", "")))
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing to the terminal."""


def test_a_machines_token_is_there_before_the_first_request(tmp_path: Path) -> None:
    with Google() as google:
        thread = threading.Thread(target=google.serve_forever)
        thread.start()
        place = f"127.0.0.1:{google.server_port}"
        settings = f"providers: {{vertex: {{login: machine, project: p, base_url: 'http://{place}'}}}}"
        gateway = Gateway(tmp_path, settings, {"GCE_METADATA_HOST": place})
        with stopped_after(gateway):
            assert google.was_asked_for_a_token.wait(DEADLINE_SECONDS)
            answer = gateway.chat(model="google/gemini-2.5-flash")
            assert answer.json()["choices"][0]["message"]["content"] == "Hello."
        assert gateway.child.returncode == 0
        google.shutdown()
        thread.join()
    assert [path for path, _ in google.heard] == [
        "/computeMetadata/v1/instance/service-accounts/default/token",
        "/v1beta1/projects/p/locations/global/publishers/google/models/gemini-2.5-flash:generateContent",
    ]
    assert google.heard[1][1] == "Bearer hidden-token"
    assert "hidden-token" not in "\n".join(gateway.lines)
