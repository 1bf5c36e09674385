"""oauth2-mock-server for mailboxes: it refreshes, rotates and withdraws permissions, and tells Dovecot which hold.

A refresh token says what becomes of it: "revoked" is refused, "once" is replaced by another and refused the next time.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.servers import oauth_server

SCRIPT = """
import { OAuth2Server } from "oauth2-mock-server";
import { createInterface } from "node:readline";
const server = new OAuth2Server();
await server.issuer.keys.generate("RS256");
const used = new Set();
let withdrawn = 0, count = 0;
server.service.on("beforeTokenSigning", (token) => { token.payload.jti = String(++count); });
server.service.on("beforeResponse", (answer, request) => {
  const given = request.body.refresh_token;
  if (given === "revoked" || used.has(given)) {
    answer.statusCode = 400;
    answer.body = { error: "invalid_grant" };
  } else if (given.startsWith("once")) {
    used.add(given);
    answer.body.refresh_token = given + "+";
  }
  console.log(JSON.stringify({ asked: request.body, status: answer.statusCode }));
});
server.service.on("beforeUserinfo", (answer, request) => {
  const claims = JSON.parse(Buffer.from(request.headers.authorization.split(".")[1], "base64url"));
  const active = Number(claims.jti) > withdrawn && claims.exp * 1000 > Date.now();
  answer.body = { active, username: "mara" };
});
await server.start(0, "127.0.0.1");
console.log(JSON.stringify({ port: server.address().port }));
createInterface({ input: process.stdin }).on("line", () => {
  withdrawn = count;
  console.log(JSON.stringify({ withdrawn }));
}).on("close", () => process.exit(0));
"""


class Permissions(oauth_server.Provider):
    """The running server; ``introspect`` is where a mail server asks whether an access token holds."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        super().__init__(process)
        self.introspect = f"http://127.0.0.1:{self.port}/userinfo"

    def answered(self) -> dict[str, Any]:
        """The next request for a token: {asked, status}."""
        return self._next()

    def withdraw(self) -> None:
        """No access token given so far holds any longer."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert "withdrawn" in self._next()


@contextmanager
def running() -> Iterator[Permissions]:
    """A token server for the time of a block."""
    words = ["node", "--input-type=module", "-e", SCRIPT]
    process = subprocess.Popen(
        words, cwd=oauth_server.folder(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Permissions(process)
    finally:
        process.terminate()
        process.wait(120)


if __name__ == "__main__":
    with running() as made:
        print(json.dumps({"token_url": made.token_url, "introspect": made.introspect}))
        input()
