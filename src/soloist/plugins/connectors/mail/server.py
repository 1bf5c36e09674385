"""Where a mailbox's servers are and how the line to one is opened; it speaks neither IMAP nor SMTP."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from soloist.kernel.errors import SoloistError
from soloist.sdk import Ctx, NotSent, Trouble

CONNECT = 20.0
"""Seconds a connection may take to open."""


_FAULTS = {
    10: "has expired",
    9: "is not valid yet (or the clock of this computer is wrong)",
    18: "is self-signed, so nobody vouches for it",
    19: "comes from an authority nobody knows (a self-signed one)",
    20: "comes from an authority this computer does not know",
    21: "comes from an authority this computer does not know",
    62: "is made out to another name",
    64: "is made out to another address",
}
"""Codes of OpenSSL's certificate check."""


@dataclass(frozen=True)
class Server:
    """One server of a mailbox; ``security`` is starttls, tls or none."""

    host: str
    port: int
    security: str
    ca_file: str = ""

    @staticmethod
    def of(settings: Mapping[str, Any], side: str) -> Server:
        """``side`` is imap or smtp; a connector that only sends has plain ``host`` and ``port``."""
        prefix = f"{side}_" if settings.get(f"{side}_host") else ""
        return Server(
            str(settings[f"{prefix}host"]),
            int(settings[f"{prefix}port"]),
            str(settings.get(f"{prefix}security") or "starttls"),
            str(settings.get("ca_file") or ""),
        )

    def tls(self) -> ssl.SSLContext:
        """The context that checks this server's certificate; OSError when ``ca_file`` cannot be read."""
        return _context(self.ca_file, os.environ.get("SSL_CERT_FILE", ""))

    async def dial(self, ctx: Ctx) -> socket.socket:
        """A connection to exactly the address that the egress rules allowed; NotSent when there is none."""
        if ctx.dial is None:
            raise NotSent("No server address was granted to this connector; nothing was sent.")
        address = await ctx.dial.resolve(self.host, self.port)
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(CONNECT):
                await asyncio.get_running_loop().sock_connect(sock, (address, self.port))
        except OSError as error:  # TimeoutError is one
            sock.close()
            raise NotSent(
                f"{self.host}:{self.port} could not be reached ({error or 'no answer in time'}); nothing was sent."
            ) from error
        except BaseException:  # a cancelled task must not leave the socket open
            sock.close()
            raise
        _keep_alive(sock)
        return sock


def _keep_alive(sock: socket.socket) -> None:
    """A line that died in silence (the computer slept, a router forgot it) is noticed within two minutes."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


@lru_cache(maxsize=8)
def _context(ca_file: str, _changed: str) -> ssl.SSLContext:
    """Made once for each authority: reading the system's takes tens of milliseconds."""
    return ssl.create_default_context(cafile=str(Path(ca_file).expanduser()) if ca_file else None)


def certificate(host: str, error: ssl.SSLCertVerificationError) -> str:
    """Why the certificate of ``host`` was not accepted, and what can be done."""
    what = _FAULTS.get(error.verify_code, "was not accepted")
    own = (
        " If you run that server yourself, name its authority in ca_file." if error.verify_code in (18, 19, 20) else ""
    )
    return f"The certificate of {host} {what} ({error.verify_message}), so neither password nor mail was sent.{own}"


@dataclass(frozen=True)
class Credential:
    """What is shown at the door: a password, or an access token when ``token`` is true."""

    username: str
    secret: str
    token: bool = False

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Credential({self.username!r})"

    def xoauth2(self) -> bytes:
        """The words of XOAUTH2, not yet in base64."""
        return f"user={self.username}\x01auth=Bearer {self.secret}\x01\x01".encode()

    def plain(self) -> bytes:
        """The words of PLAIN, not yet in base64."""
        return f"\0{self.username}\0{self.secret}".encode()


def password(ctx: Ctx, host: str) -> Credential:
    """The password from the vault; Trouble "auth" when it is not there."""
    name = str(ctx.settings.get("password_secret") or "")
    try:
        secret = ctx.secrets[name] if name else ""
    except (KeyError, SoloistError) as error:
        raise Trouble("auth", f"The password for {host} is not there ({error}), so nothing was sent.") from error
    return Credential(str(ctx.settings.get("username") or ""), secret)


def own_computer(sock: socket.socket) -> bool:
    """Whether the other end is this computer."""
    peer = str(sock.getpeername()[0])
    return peer.startswith("127.") or peer == "::1"
