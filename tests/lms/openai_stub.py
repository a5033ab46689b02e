"""A server on the loopback that speaks OpenAI's chat protocol and misbehaves on request."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One HTTP answer; `hold_s` keeps the caller waiting first, `drop` closes the connection instead."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold_s: float = 0.0
    drop: bool = False


@dataclass
class Request:
    """What a caller sent, and when."""

    body: dict[str, Any]
    authorization: str
    arrived_s: float


def answer(text: str | None, finish_reason: str = "stop", hold_s: float = 0.0) -> Reply:
    """A whole completion of 10 tokens in and 5 out."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    head = {"id": "1", "object": "chat.completion", "created": 1, "model": "stub"}
    return Reply({**head, "choices": [choice], "usage": usage}, hold_s=hold_s)


def error(status: int, message: str = "no", code: str | None = None, **headers: str) -> Reply:
    """An error as OpenAI words it; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = {"message": message, "type": "invalid_request_error", "code": code}
    return Reply({"error": body}, status, named)


def echo(request: Request) -> Reply:
    """The last message, reversed."""
    return answer(request.body["messages"][-1]["content"][::-1])


class Stub:
    """The script and the log of one server. Beyond the end of the script it echoes."""

    def __init__(self) -> None:
        self.script: list[Reply | Callable[[Request], Reply]] = []
        self.requests: list[Request] = []
        self.peak = 0
        """The most requests that were ever in the server's hands at once."""
        self.url = ""
        self.asked = threading.Event()
        """Set once the first request has arrived."""
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._under_way = 0

    def take(self, request: Request) -> Reply:
        """Log a request, and hand out the next reply once its holding time is over."""
        with self._lock:
            self.requests.append(request)
            self.asked.set()
            self._under_way += 1
            self.peak = max(self.peak, self._under_way)
            step = self.script.pop(0) if self.script else echo
        reply = step(request) if callable(step) else step
        self.closing.wait(reply.hold_s)
        with self._lock:
            self._under_way -= 1
        return reply


@contextmanager
def serve() -> Iterator[Stub]:
    """A running stub; `url` is its base URL."""
    stub = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request = Request(body, self.headers.get("Authorization", ""), time.monotonic())
            reply = stub.take(request)
            self.close_connection = True
            if not reply.drop:
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            headers = {
                "Content-Type": "application/json",
                "Content-Length": str(len(data)),
                "Connection": "close",
            }
            for name, value in {**headers, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *args: object) -> None:
            pass  # a caller that timed out has hung up; that is what the test wants

    server = Server(("127.0.0.1", 0), Handler)
    stub.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        stub.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
