"""Bad lines for mail tests: a proxy that changes or cuts what a real server says, and a TLS server nobody may trust."""

from __future__ import annotations

import asyncio
import datetime
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Change = Callable[[bytes], bytes | None]
"""What becomes of a piece of the server's words; None cuts the line."""
TAGGED = re.compile(rb"[A-Za-z0-9]+ (OK|NO|BAD) ")
"""How the line begins that ends an answer."""


@dataclass
class Proxy:
    """``said`` holds what the client said, ``opened`` how often it connected."""

    port: int = 0
    opened: int = 0
    said: bytearray = field(default_factory=bytearray)


def whole(mark: bytes, change: Change) -> Change:
    """``change`` for the answer that holds the mark, all of it at once, however the server cut it into pieces.

    Everything else goes through as it is.
    """
    kept = bytearray()

    def handed(words: bytes) -> bytes | None:
        kept.extend(words)
        if mark not in kept:
            said = bytes(kept)
            kept.clear()
            return said
        last = bytes(kept).rstrip(b"\r\n").rpartition(b"\r\n")[2]
        if not kept.endswith(b"\r\n") or not TAGGED.match(last):
            return b""
        said = bytes(kept)
        kept.clear()
        return change(said)

    return handed


@asynccontextmanager
async def proxy(port: int, change: Change = lambda words: words) -> AsyncIterator[Proxy]:
    """A line to ``port`` on this computer whose answers go through ``change``."""
    made = Proxy()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.opened += 1
        upstream, to_server = await asyncio.open_connection("127.0.0.1", port)

        async def back() -> None:
            while words := await upstream.read(1 << 20):
                changed = change(words)
                if changed is None:
                    break
                writer.write(changed)
            writer.transport.abort()

        answers = asyncio.ensure_future(back())
        try:
            while words := await reader.read(65536):
                made.said += words
                to_server.write(words)
        except ConnectionError:
            pass
        finally:
            answers.cancel()
            to_server.close()
            writer.transport.abort()

    server = await asyncio.start_server(run, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def certificate(path: Path, name: str, *, days: int = 1, issuer: str = "") -> Path:
    """A certificate with its key in one PEM file; ``days`` below zero: expired; ``issuer``: of another."""
    key, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    named = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer or name)]
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(named[1], named[0], key.public_key(), 1, now - 9 * day, now + days * day)
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    made = builder.add_extension(names, critical=False).sign(signer if issuer else key, hashes.SHA256())
    kinds = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*kinds) + made.public_bytes(serialization.Encoding.PEM))
    return path


@asynccontextmanager
async def listening_tls(pem: Path) -> AsyncIterator[Proxy]:
    """A TLS server that says nothing and remembers every byte it was told after the handshake."""
    heard = Proxy()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.said += await reader.read()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = await asyncio.start_server(run, "127.0.0.1", 0, ssl=context)
    heard.port = server.sockets[0].getsockname()[1]
    try:
        yield heard
    finally:
        server.close()
