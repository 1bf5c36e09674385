"""A metered provider that speaks as OpenAI does, on a real port of this machine; it does what its script says."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = Callable[["Provider", dict[str, Any]], Any]
"""Gets the request and answers a text, or (status, body); an int is a status with an error in it."""


class Provider:
    """``asked`` are the bodies of all requests; ``tokens`` what was billed, by the provider's own count."""

    def __init__(self, reply: Reply | str = "Fine.") -> None:
        self.reply, self.asked, self.usage = reply, list[dict[str, Any]](), True
        self.tokens_in = self.tokens_out = 0
        self.headers: list[dict[str, str]] = []
        self.lock = threading.Lock()
        self.pause = 0.0
        self.url = ""

    def bill(self, body: dict[str, Any], text: str) -> dict[str, int]:
        """Count as a byte tokeniser would at a quarter of the bytes, at most what was allowed out."""
        given = len(json.dumps(body["messages"]).encode()) // 4 + 8
        out = min(max(1, len(text) // 4), int(body.get("max_tokens") or body.get("max_completion_tokens") or 10**9))
        with self.lock:
            self.tokens_in, self.tokens_out = self.tokens_in + given, self.tokens_out + out
        return {"prompt_tokens": given, "completion_tokens": out, "total_tokens": given + out}

    def micro(self, price_in: int, price_out: int) -> int:
        """What all of it costs, in millionths, by prices for a million tokens."""
        return (self.tokens_in * price_in + self.tokens_out * price_out) // 1_000_000

    def answer(self, body: dict[str, Any], path: str = "") -> tuple[int, dict[str, Any]]:
        """What it says to a request; ``path`` is for those who tell askers apart."""
        with self.lock:
            self.asked.append(body)
        time.sleep(self.pause)
        said = self.reply(self, body) if callable(self.reply) else self.reply
        if isinstance(said, int):
            return said, {"error": {"message": f"status {said}", "type": "x", "code": str(said)}}
        if isinstance(said, tuple):
            return said
        message = said if isinstance(said, dict) else {"role": "assistant", "content": said}
        whole = {"id": "x", "object": "chat.completion", "created": 1, "model": body["model"]}
        whole["choices"] = [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}]
        usage = self.bill(body, str(message.get("content") or ""))
        return 200, {**whole, **({"usage": usage} if self.usage else {})}


@contextmanager
def serving(provider: Provider) -> Iterator[Provider]:
    """Serve it on a free port; ``provider.url`` is its base_url."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            provider.headers.append(dict(self.headers))
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, value = provider.answer(body, self.path)
            if body.get("stream") and status == 200:
                self.chunks(value)
                return
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def chunks(self, value: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            text = value["choices"][0]["message"]["content"]
            pieces = [{"delta": {"content": piece}} for piece in (text[:4], text[4:])]
            for piece in [*pieces, {"delta": {}, "finish_reason": "stop"}]:
                self.event(
                    {**value, "object": "chat.completion.chunk", "choices": [{"index": 0, **piece}], "usage": None}
                )
            if value.get("usage"):
                self.event({**value, "object": "chat.completion.chunk", "choices": []})
            self.wfile.write(b"data: [DONE]\n\n")

        def event(self, value: dict[str, Any]) -> None:
            self.wfile.write(f"data: {json.dumps(value)}\n\n".encode())
            self.wfile.flush()

        def log_message(self, *_args: Any) -> None: ...

    class Port(ThreadingHTTPServer):
        request_queue_size = 64

        def handle_error(self, *_about: Any) -> None:
            """Whoever asked has gone away; that is part of the tests."""

    server = Port(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    provider.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
