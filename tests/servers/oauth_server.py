"""oauth2-mock-server as a real process: consent by redirect, PKCE checked, tokens given, refused on demand."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PACKAGE = "oauth2-mock-server@9.3.0"
SCRIPT = """
import { OAuth2Server } from "oauth2-mock-server";
const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");
server.service.on("beforeAuthorizeRedirect", (answer, request) => {
  if (request.query.client_id !== "refused") return;
  answer.url.searchParams.delete("code");
  answer.url.searchParams.set("error", "access_denied");
  answer.url.searchParams.set("error_description", "The user said no.");
});
server.service.on("beforeUserinfo", (answer) => { answer.body = { active: true, username: "mara" }; });
server.service.on("beforeResponse", (answer, request) => {
  if (request.body.grant_type === "refresh_token" && request.body.refresh_token === "revoked") {
    answer.statusCode = 400;
    answer.body = { error: "invalid_grant" };
  }
  console.log(JSON.stringify({ asked: request.body, status: answer.statusCode }));
});
await server.start(0, "127.0.0.1");
console.log(JSON.stringify({ port: server.address().port }));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
"""


class Provider:
    """A running provider; ``asked`` are the forms its token address got."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._next()["port"])
        self.base = f"http://localhost:{self.port}"
        self.introspect_url = f"http://127.0.0.1:{self.port}/userinfo"
        self.authorize_url, self.token_url = f"{self.base}/authorize", f"{self.base}/token"

    def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the provider ended"
        return dict(json.loads(line))

    def asked(self) -> dict[str, Any]:
        """The next form the token address got."""
        return dict(self._next()["asked"])


def folder() -> Path:
    """Where the package is: SOLOIST_NODE, else a cache that npm fills once."""
    place = Path(os.environ.get("SOLOIST_NODE", Path.home() / ".cache" / "soloist-tests" / "node"))
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes, and one of them fills it
        if not (place / "node_modules" / "oauth2-mock-server").is_dir():
            npm = shutil.which("npm")
            if npm is None:
                pytest.fail("npm is not here; the tests of sign-in need it.")
            words = [npm, "install", "--prefix", str(place), "--no-fund", "--no-audit", "--loglevel=error", PACKAGE]
            subprocess.run(words, check=True, timeout=300)
    return place


@contextmanager
def running() -> Iterator[Provider]:
    """A provider for the time of a block."""
    words = ["node", "--input-type=module", "-e", SCRIPT]
    process = subprocess.Popen(words, cwd=folder(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Provider(process)
    finally:
        process.terminate()
        process.wait(120)
