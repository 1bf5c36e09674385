"""A booking service with a list, outside the product: its books can be changed behind everybody's back."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAGE = 2
TOML = """
[connectors.diary]
kind = "http"
base_url = "http://127.0.0.1:{port}"
allow_private_network = true
consistency = "The list shows a booking at once."
[connectors.diary.operations.book]
method = "POST"
path = "/bookings"
class = "A"
key_header = "Idempotency-Key"
ref = "id"
undo = {{ method = "DELETE", path = "/bookings/{{ref}}" }}
[connectors.diary.operations.book.list]
path = "/bookings"
items = "items"
key = "key"
title = "name"
at = "made"
next = "next"
cursor = "after"
fields = {{ name = "name", amount = "amount" }}
[connectors.diary.operations.set_right]
method = "PATCH"
path = "/bookings/{{payload.ref}}"
class = "A"
key_header = "Idempotency-Key"
risk = "reversible"
"""


class Diary(ThreadingHTTPServer):
    """``books`` by id; ``writes`` counts what was really carried out; ``answers`` is the status of the list."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.books: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, str] = {}
        self.writes: list[tuple[str, str]] = []
        self.answers = 200
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def toml(self) -> str:
        """Its connection for soloist.toml."""
        return TOML.format(port=self.server_address[1])

    def put(self, key: str = "", **fields: Any) -> str:
        """A new booking; its id."""
        ident = f"bk{len(self.by_key) + len(self.books) + 1}"
        while ident in self.books:
            ident += "x"
        made = datetime.now(UTC).isoformat()
        self.books[ident] = {"id": ident, "key": key, "made": made, **fields}
        if key:
            self.by_key[key] = ident
        return ident

    def named(self, name: str) -> list[dict[str, Any]]:
        """The bookings of a name."""
        return [one for one in self.books.values() if one["name"] == name]


class Asked(BaseHTTPRequestHandler):
    """One request."""

    server: Diary

    def log_message(self, *_args: Any) -> None:
        """In silence."""

    def answer(self, status: int, body: Any) -> None:
        """JSON."""
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self) -> None:
        """The list, two to a page."""
        if self.server.answers != 200:
            return self.answer(self.server.answers, {"error": "not now"})
        start = int(self.path.partition("after=")[2] or 0)
        items = list(self.server.books.values())
        following = start + PAGE if start + PAGE < len(items) else None
        return self.answer(200, {"items": items[start : start + PAGE], "next": following})

    def do_POST(self) -> None:
        """A booking; the same key is answered again and not carried out."""
        key, sent = str(self.headers["Idempotency-Key"]), self.sent()
        if key not in self.server.by_key:
            ident = self.server.put(key, **sent)
            self.server.writes.append(("book", sent["name"]))
            return self.answer(201, self.server.books[ident])
        return self.answer(200, {"id": self.server.by_key[key]})

    def do_PATCH(self) -> None:
        """New values for fields."""
        ident, sent = self.path.rpartition("/")[2], self.sent()
        sent.pop("ref", None)
        self.server.books[ident].update(sent)
        self.server.writes.append(("set right", ident))
        self.answer(200, self.server.books[ident])

    def do_DELETE(self) -> None:
        """Remove one."""
        ident = self.path.rpartition("/")[2]
        self.server.books.pop(ident, None)
        self.server.writes.append(("delete", ident))
        self.answer(200, {"id": ident})

    def sent(self) -> dict[str, Any]:
        """The JSON body."""
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return body
