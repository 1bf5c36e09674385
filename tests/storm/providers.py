"""A counting provider in its own process: it keeps every call it really carried out, and spoils a share of the calls.

``charges`` knows keys (class A), ``bookings`` can be looked up (B), ``notices`` offers neither (C). A booking under a
key that is there already is carried out once more on purpose, so that a second call shows as a double.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FAULTS = ("500 before", "500 after", "cut before", "cut after", "slow", "429")
SLOW = 0.6
"""Seconds a slow call takes; the declared lag of a look-up is longer."""
TOML = """
[connectors.shop]
kind = "http"
base_url = "http://127.0.0.1:{port}"
allow_private_network = true
[connectors.shop.operations.charge]
method = "POST"
path = "/charges"
class = "A"
key_header = "Idempotency-Key"
timeout = "5s"
[connectors.diary]
kind = "http"
base_url = "http://127.0.0.1:{port}"
allow_private_network = true
[connectors.diary.operations.book]
method = "PUT"
path = "/bookings/{{key}}"
class = "B"
timeout = "5s"
find = {{ method = "GET", path = "/bookings/{{key}}", lag = "1s" }}
[connectors.pager]
kind = "http"
base_url = "http://127.0.0.1:{port}"
allow_private_network = true
[connectors.pager.operations.notify]
method = "POST"
path = "/notices"
class = "C"
timeout = "5s"
"""
"""Connections to a sink, for soloist.toml."""
CALLS = {"A": ("shop", "charge"), "B": ("diary", "book"), "C": ("pager", "notify")}


class Book:
    """What was carried out, in memory and in a file."""

    def __init__(self, path: Path, share: float, seed: int) -> None:
        self.lock, self.share, self.random = threading.Lock(), share, random.Random(seed)
        self.file = path.open("a", encoding="utf-8")
        self.by_key: dict[str, str] = {}

    def spoil(self) -> str:
        """The fault of the next call, "" for none."""
        with self.lock:
            return self.random.choice(FAULTS) if self.random.random() < self.share else ""

    def carry_out(self, class_: str, key: str, body: bytes) -> int:
        """Do it and keep it; a known key of class A is answered without doing it again. Answers an HTTP status."""
        with self.lock:
            if class_ == "A" and key in self.by_key:
                return 200 if self.by_key[key] == body.hex() else 409
            self.by_key[key] = body.hex()
            deed = {"class": class_, "key": key, "ref": json.loads(body)["ref"]}
            self.file.write(json.dumps(deed) + "\n")
            self.file.flush()
            os.fsync(self.file.fileno())
            return 201


def handler(book: Book) -> type[BaseHTTPRequestHandler]:
    """The request handler of one book."""

    class Asked(BaseHTTPRequestHandler):
        def log_message(self, *_args: Any) -> None:
            pass

        def answer(self, status: int, **headers: str) -> None:
            body = json.dumps({"id": f"p{time.monotonic_ns()}"} if status < 400 else {"error": status}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            if book.spoil() in ("500 before", "cut before"):
                self.answer(503)
            else:
                self.answer(200 if self.path.rpartition("/")[2] in book.by_key else 404)

        def write(self, class_: str, key: str) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fault = book.spoil()
            if fault == "429":
                return self.answer(429, Retry_After="1")
            if fault == "500 before":
                return self.answer(500)
            if fault == "slow":
                time.sleep(SLOW)
            status = 0 if fault == "cut before" else book.carry_out(class_, key, body)
            if fault.startswith("cut"):
                self.close_connection = True
                return None
            return self.answer(500 if fault == "500 after" else status)

        def do_POST(self) -> None:
            if self.path == "/charges":
                self.write("A", self.headers["Idempotency-Key"])
            else:
                self.write("C", "")

        def do_PUT(self) -> None:
            self.write("B", self.path.rpartition("/")[2])

    return Asked


class Sink:
    """The provider as a child process; ``deeds`` reads what it really did."""

    def __init__(self, folder: Path, *, share: float = 0.25, seed: int = 1) -> None:
        self.path = folder / "deeds.jsonl"
        self.path.touch()
        command = [sys.executable, __file__, str(self.path), str(share), str(seed)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def toml(self) -> str:
        """Its connections for soloist.toml."""
        return TOML.format(port=self.port)

    def deeds(self) -> Counter[str]:
        """How often each reference was carried out."""
        return Counter(json.loads(line)["ref"] for line in self.path.read_text().splitlines())

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


class Quiet(ThreadingHTTPServer):
    """A server that takes it in silence when the caller dies."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until killed; the port is printed first."""
    book = Book(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
    server = Quiet(("127.0.0.1", 0), handler(book))
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
