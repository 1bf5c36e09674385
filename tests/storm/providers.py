"""Counting providers in a process of their own: they keep every call and what they did, and spoil a share of them.

Over HTTP ``charges`` knows keys (class A), ``bookings`` can be looked up (B), ``notices`` offers neither (C). Over SMTP
a mail is taken like class C. A booking under a key that is there already is carried out once more on purpose, so that
a second call shows as a double. A file ``calm`` beside the book ends the faults.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HTTP_FAULTS = ("500 before", "500 after", "cut before", "cut after", "page after", "slow", "429")
SMTP_FAULTS = ("451 after", "451 before", "cut after", "cut before", "slow", "550")
PUT_OFF = ("450 early", "421 early")
"""More faults of mail; what is put off is tried again after minutes, so that only a long storm has them."""
UNCLEAR = frozenset({"500 before", "500 after", "cut before", "cut after", "page after", "451 after", "451 before"})
"""Faults that leave the caller without a clear answer, whether it was done or not."""
SLOW = 0.6
"""Seconds a slow call takes; the declared lag of a look-up is longer."""
BACKLOG = 128
"""Callers that may wait for a line: with the library's five the system cuts some of a burst, no fault of ours."""
TOML = """
[connectors.shop]
kind = "http"
base_url = "http://127.0.0.1:{http}"
allow_private_network = true
[connectors.shop.operations.charge]
method = "POST"
path = "/charges"
class = "A"
key_header = "Idempotency-Key"
timeout = "20s"
[connectors.diary]
kind = "http"
base_url = "http://127.0.0.1:{http}"
allow_private_network = true
[connectors.diary.operations.book]
method = "PUT"
path = "/bookings/{{key}}"
class = "B"
timeout = "20s"
find = {{ method = "GET", path = "/bookings/{{key}}", lag = "1s" }}
[connectors.pager]
kind = "http"
base_url = "http://127.0.0.1:{http}"
allow_private_network = true
[connectors.pager.operations.notify]
method = "POST"
path = "/notices"
class = "C"
timeout = "20s"
[connectors.relay]
kind = "smtp"
host = "127.0.0.1"
port = {smtp}
security = "none"
allow_private_network = true
"""
"""Connections to the providers, for soloist.toml."""


class Book:
    """Every call and what became of it, in memory and in a file of JSON lines."""

    def __init__(self, path: Path, share: float, seed: int) -> None:
        self.lock, self.share, self.random = threading.Lock(), share, random.Random(seed)
        self.file, self.calm = path.open("a", encoding="utf-8"), path.with_name("calm")
        self.by_key: dict[str, str] = {}
        self.calls = 0
        self.only = ""
        self.seen: set[str] = set()

    def spoil(self, faults: tuple[str, ...], ref: str = "") -> str:
        """The fault of the next call, "" for none."""
        with self.lock:
            if self.only == "first":
                known, self.seen = ref in self.seen or not ref, self.seen | {ref}
                return "" if known else "cut after"
            if self.only == "slow":
                faults = ("slow",)
            if self.only == "after":
                faults = tuple(fault for fault in faults if fault.endswith("after"))
            spoiled = self.random.random() < self.share and not self.calm.exists()
            return self.random.choice(faults) if spoiled else ""

    def note(self, **line: Any) -> None:
        """Keep a line; the reader sees it at once."""
        with self.lock:
            self.file.write(json.dumps({**line, "at": time.time()}) + "\n")
            self.file.flush()

    def call(self, class_: str, key: str, ref: str, fault: str) -> int:
        """A call came; its number."""
        with self.lock:
            self.calls += 1
            number = self.calls
        self.note(call=number, **{"class": class_}, key=key, ref=ref, fault=fault)
        return number

    def carry_out(self, number: int, class_: str, key: str, body: str, ref: str) -> int:
        """Do it and keep it; a known key of class A is answered without doing it again. Answers an HTTP status."""
        with self.lock:
            if class_ == "A" and key in self.by_key:
                return 200 if self.by_key[key] == body else 409
            self.by_key[key] = body
        self.note(did=number, ref=ref)
        return 201


def hung_up(sock: socket.socket) -> bool:
    """Whether the caller is gone, so that no answer reaches it."""
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def http_handler(book: Book) -> type[BaseHTTPRequestHandler]:
    """The request handler of one book."""

    class Asked(BaseHTTPRequestHandler):
        def log_message(self, *_args: Any) -> None:
            pass

        def answer(self, status: int, *, page: bool = False, **headers: str) -> None:
            body = json.dumps({"id": f"p{time.monotonic_ns()}"} if status < 400 else {"error": status}).encode()
            body = b"<!doctype html><title>Thank you</title>" if page else body
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if page else "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            if book.spoil(HTTP_FAULTS) in ("500 before", "cut before"):
                self.answer(503)
            else:
                self.answer(200 if self.path.rpartition("/")[2] in book.by_key else 404)

        def write(self, class_: str, key: str) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            ref = json.loads(body)["ref"]
            fault = book.spoil(HTTP_FAULTS, ref)
            number = book.call(class_, key, ref, fault)
            if fault in ("429", "500 before"):
                return self.answer(int(fault[:3]), **({"Retry_After": "1"} if fault == "429" else {}))
            if fault == "slow":
                time.sleep(SLOW)
            status = 0 if fault == "cut before" else book.carry_out(number, class_, key, body, ref)
            if fault.startswith("cut"):
                self.close_connection = True
                return None
            if hung_up(self.connection):
                return book.note(gone=number)
            return self.answer(500 if fault == "500 after" else status, page=fault == "page after")

        def do_POST(self) -> None:
            if self.path == "/charges":
                self.write("A", self.headers["Idempotency-Key"])
            else:
                self.write("C", "")

        def do_PUT(self) -> None:
            self.write("B", self.path.rpartition("/")[2])

    return Asked


def smtp_handler(book: Book, mail_faults: tuple[str, ...]) -> type[socketserver.StreamRequestHandler]:
    """One SMTP conversation; the reference of a mail is the address of its recipient."""

    class Talk(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

        def handle(self) -> None:
            fault, ref = book.spoil(mail_faults), ""
            if fault == "421 early":
                return self.say("421 too busy")
            self.say("220 counting provider")
            while line := self.rfile.readline():
                word = line[:4].upper().strip()
                if word == b"QUIT":
                    return self.say("221 bye")
                if word == b"RCPT":
                    ref = re.split(rb"[<>]", line)[1].decode()
                    if fault in ("450 early", "550"):
                        self.say(f"{fault[:3]} not this one")
                        continue
                if word == b"DATA":
                    self.say("354 go on")
                    if self.take(ref, fault):
                        return None
                    continue
                self.say("250 counting provider")
            return None

        def take(self, ref: str, fault: str) -> bool:
            """The message itself; whether the line is cut."""
            body: list[bytes] = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                body.append(line)
            if line == b"":
                return True  # the caller died before the end of the message: certainly not taken
            number = book.call("C", "", ref, fault)
            if fault == "slow":
                time.sleep(SLOW)
            if not fault.endswith("before"):
                book.carry_out(number, "C", "", "", ref)
            if fault.startswith("cut"):
                return True
            if hung_up(self.connection):
                book.note(gone=number)
                return True
            self.say("451 try again later" if fault.startswith("451") else "250 taken")
            return False

    return Talk


class Providers:
    """Both providers as a child process; what they really did is read from their book."""

    def __init__(self, folder: Path, *, share: float = 0.25, seed: int = 1, faults: str = "") -> None:
        """``faults``: "put off" has mails put off for minutes as well, "after" only what is done and not answered,
        "slow" only slowness, "first" cuts the line after the first deed of each reference and spoils nothing else."""
        self.path = folder / "book.jsonl"
        self.path.touch()
        command = [sys.executable, __file__, str(self.path), str(share), str(seed), faults]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.http, self.smtp = (int(self.process.stdout.readline()) for _ in range(2))

    def toml(self) -> str:
        """Its connections for soloist.toml."""
        return TOML.format(http=self.http, smtp=self.smtp)

    def calm(self) -> None:
        """No more faults."""
        self.path.with_name("calm").touch()

    def lines(self) -> list[dict[str, Any]]:
        """The book."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def deeds(self) -> Counter[str]:
        """How often each reference was carried out."""
        return Counter(line["ref"] for line in self.lines() if "did" in line)

    def uncertain(self) -> dict[str, float]:
        """References of class C whose caller has no clear answer, and when the first such call came."""
        lines = self.lines()
        gone = {line["gone"] for line in lines if "gone" in line}
        calls = [line for line in lines if "call" in line and line["class"] == "C"]
        found: dict[str, float] = {}
        for line in calls:
            if line["fault"] in UNCLEAR or line["call"] in gone:
                found.setdefault(line["ref"], line["at"])
        return found

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


class Quiet(ThreadingHTTPServer):
    """A server that takes it in silence when the caller dies."""

    daemon_threads, request_queue_size = True, BACKLOG

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class QuietTcp(socketserver.ThreadingTCPServer):
    """The same for mail."""

    daemon_threads, request_queue_size = True, BACKLOG

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until killed; the two ports are printed first."""
    book = Book(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
    book.only = sys.argv[4]
    http = Quiet(("127.0.0.1", 0), http_handler(book))
    smtp = QuietTcp(("127.0.0.1", 0), smtp_handler(book, SMTP_FAULTS + (PUT_OFF if book.only == "put off" else ())))
    print(http.server_address[1], smtp.server_address[1], sep="\n", flush=True)
    threading.Thread(target=smtp.serve_forever, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        http.serve_forever()


if __name__ == "__main__":
    main()
