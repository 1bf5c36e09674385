"""Shell: the static files as they are served, small on the wire, and what makes the console a page on a phone."""

from __future__ import annotations

import gzip
import os
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from soloist.web.render import STATIC

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
"""Files that are worth compressing. Pages are not: they hold the form token beside text from outside."""


class Kept(StaticFiles):
    """Static files; one asked for with its content's hash never changes, so the browser keeps it."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, compressed where that helps, or Starlette's refusal."""
        answer = await super().get_response(path, scope)
        kind, full = TYPES.get(Path(path).suffix), (STATIC / path).resolve()
        if answer.status_code == 200 and kind and full.is_relative_to(STATIC.resolve()):
            answer.headers["Content-Type"] = kind
            answer.headers["Vary"] = "Accept-Encoding"
            if _takes_gzip(scope) and scope["method"] == "GET":
                answer = _packed(answer, full)
        if scope["query_string"].startswith(b"v=") and answer.status_code == 200:
            answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        if Path(path).name == "sw.js":
            answer.headers["Service-Worker-Allowed"] = "/"
            answer.headers["Cache-Control"] = "no-cache"
        return answer


def _takes_gzip(scope: Scope) -> bool:
    """Whether the browser said that it reads gzip."""
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])


def _packed(answer: Response, full: Path) -> Response:
    """The same answer with the compressed bytes."""
    kept = {name: answer.headers[name] for name in ("content-type", "etag", "last-modified", "vary")}
    return Response(_bytes(full, os.stat(full).st_mtime_ns), headers={**kept, "Content-Encoding": "gzip"})


@cache
def _bytes(full: Path, _changed: int) -> bytes:
    """A file compressed once."""
    return gzip.compress(full.read_bytes(), 9, mtime=0)
