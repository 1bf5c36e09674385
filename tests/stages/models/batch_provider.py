"""A metered provider with files and batches as OpenAI documents them, on a real port; time passes when it is told."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class BatchProvider:
    """``files`` by id, ``batches`` by id; ``bill`` is in tokens (by day, in batches)."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.at_once: list[dict[str, Any]] = []
        self.day, self.night = [0, 0], [0, 0]
        self.down: set[str] = set()
        """Paths that answer 503 although the work is done ("after:/batches"), or before it ("/batches")."""
        self.url = ""

    def chat(self, body: dict[str, Any], bill: list[int]) -> dict[str, Any]:
        """One answer, billed."""
        text = f"Answer to {body['messages'][-1]['content'][-20:]}"
        usage = {"prompt_tokens": len(json.dumps(body["messages"])) // 4, "completion_tokens": len(text) // 4}
        bill[0] += usage["prompt_tokens"]
        bill[1] += usage["completion_tokens"]
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        whole = {"id": "x", "object": "chat.completion", "created": 1, "model": body["model"], "choices": [choice]}
        return {**whole, "usage": {**usage, "total_tokens": sum(usage.values())}}

    def begin(self, given: dict[str, Any]) -> dict[str, Any]:
        """A batch of an uploaded file."""
        assert given["completion_window"] == "24h"
        assert given["endpoint"] == "/v1/chat/completions"
        ident = f"batch_{len(self.batches)}"
        row = {"id": ident, "object": "batch", "status": "in_progress", **given}
        self.batches[ident] = row
        return row

    def end(self, status: str = "completed", fail: int = 0, only: int = 1000) -> None:
        """Let every open batch come to an end; the first ``fail`` lines end in errors, ``only`` so many are done."""
        for row in [b for b in self.batches.values() if b["status"] in ("in_progress", "cancelling")]:
            lines = [json.loads(line) for line in self.files[row["input_file_id"]].splitlines()]
            good, bad = list[str](), list[str]()
            for n, line in enumerate(lines[:only]):
                one = {"id": f"r{n}", "custom_id": line["custom_id"], "error": None}
                if n < fail:
                    error = {"code": "server_error", "message": "no luck"}
                    bad.append(json.dumps({**one, "response": None, "error": error}))
                else:
                    body = self.chat(line["body"], self.night)
                    good.append(json.dumps({**one, "response": {"status_code": 200, "request_id": "q", "body": body}}))
            for name, rows in (("output_file_id", good), ("error_file_id", bad)):
                if rows:
                    self.files[f"{name}-{row['id']}"] = "\n".join(rows)
                    row[name] = f"{name}-{row['id']}"
            row["status"] = "cancelled" if row["status"] == "cancelling" else status

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """One request."""
        path = path.partition("?")[0].removeprefix("/v1")
        if path in self.down:
            return 503, {"error": {"message": "later"}}
        found = self._answer(method, path, body)
        return (503, {"error": {"message": "cut"}}) if f"after:{path}" in self.down else found

    def _answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if path == "/chat/completions":
            self.at_once.append(json.loads(body))
            return 200, self.chat(json.loads(body), self.day)
        if path == "/files":
            ident = f"file-{len(self.files)}"
            assert b'name="purpose"\r\n\r\nbatch\r\n' in body
            match = re.search(rb'filename="[^"]+\.jsonl"\r\n.*?\r\n\r\n(.*?)\r\n--', body, re.DOTALL)
            assert match
            self.files[ident] = match[1].decode()
            return 200, {"id": ident, "object": "file", "purpose": "batch"}
        if path == "/batches" and method == "POST":
            return 200, self.begin(json.loads(body))
        if path == "/batches":
            return 200, {"object": "list", "data": list(self.batches.values())}
        if match := re.fullmatch(r"/batches/(\w+)/cancel", path):
            self.batches[match[1]]["status"] = "cancelling"
            return 200, self.batches[match[1]]
        if match := re.fullmatch(r"/batches/(\w+)", path):
            return (200, self.batches[match[1]]) if match[1] in self.batches else (404, {"error": {"message": "gone"}})
        if match := re.fullmatch(r"/files/([\w-]+)/content", path):
            return 200, self.files[match[1]]
        return 404, {"error": {"message": f"no {path}"}}


@contextmanager
def serving(provider: BatchProvider) -> Iterator[BatchProvider]:
    """Serve it on a free port."""

    class Answers(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, value = provider.answer(self.command, self.path, body)
            data = (value if isinstance(value, str) else json.dumps(value)).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _do

        def log_message(self, *_args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    provider.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
