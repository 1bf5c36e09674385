"""Egress: the one HTTP client and the one dialler; they refuse every address the connector was not made for.

No redirects, no retries, one fresh connection per request: a reused connection that the other side had just closed
would leave it open whether a write arrived. Names are resolved once, every answer is checked, and the connection goes
to exactly the address that was checked while Host and SNI keep the name. Through a proxy that the environment names
the same rules come first, but the proxy looks the name up again, and alone where no name server here knows it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpcore

from soloist.engine import proxy as proxies
from soloist.engine.proxy import Proxy
from soloist.sdk import HttpAnswer, MaybeSent, NotSent

MAX_ANSWER = 5 * 1024 * 1024
"""Largest answer that is read, in bytes."""
CONNECT_WITHIN = 10.0
"""Seconds a connection and its TLS handshake may take, below the request's own limit."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]
ProxyFor = Callable[[str, str, int], Proxy | None]
"""The proxy for a scheme, host and port, or None."""

_BROKEN = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_NUMBERISH = re.compile(r"(0x[0-9a-f]*|[0-9]+)\Z")
_PORTS = {"http": 80, "https": 443}

_NEVER = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2002::/16", "3fff::/20", "5f00::/16", "fe80::/10", "fec0::/10", "ff00::/8",
    )
]  # fmt: skip
"""Nobody's servers: metadata, link-local, multicast, reserved, and every form that hides an IPv4 address in IPv6."""

_METADATA = ipaddress.ip_address("fd00:ec2::254")
"""A cloud's metadata server that sits inside the private range."""

_PRIVATE = [
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7")
]
"""What ``allow_private_network`` opens: this computer, the local network, carrier-grade NAT and overlay networks."""


@dataclass(frozen=True)
class Target:
    """A URL that passed the rules: ASCII host without brackets, port, and the path with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> bytes:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}").encode()


async def system_resolver(host: str, port: int) -> list[str]:
    """Every address of a name, as the operating system gives them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def parse_url(url: str) -> Target:
    """Take a URL apart strictly; NotSent when it is not a plain http(s) URL with a plain host."""
    if any(ord(c) < 32 or ord(c) == 127 for c in url) or "\\" in url:
        raise NotSent(f"The URL {url[:100]!r} contains a control character or a backslash; nothing was sent.")
    match = re.match(r"(https?)://([^/?#]*)([^#]*)", url, re.IGNORECASE)
    if not match:
        raise NotSent(f"The URL {url[:100]!r} does not begin with http:// or https://; nothing was sent.")
    scheme, authority = match[1].lower(), match[2]
    if "@" in authority or "%" in authority:
        raise NotSent(f"The URL {url[:100]!r} has a user name or an escape in its host; nothing was sent.")
    host, port = _host_and_port(authority, scheme)
    path = urllib.parse.quote(match[3], safe="/?:@!$&'()*+,;=-._~%[]|^`{}\"<>")
    path = re.sub(r"[\[\]|^`{}\"<>]", lambda m: f"%{ord(m[0]):02X}", path)
    return Target(scheme, host, port, path if path.startswith("/") else "/" + path)


def _host_and_port(authority: str, scheme: str) -> tuple[str, int]:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:]+)(?::([0-9]{1,5}))?", authority)
    if not match:
        raise NotSent(f"The host {authority[:100]!r} cannot be read; nothing was sent.")
    port = int(match[2]) if match[2] else _PORTS[scheme]
    if not 1 <= port <= 65535:
        raise NotSent(f"The port of {authority[:100]!r} does not exist; nothing was sent.")
    return plain_host(match[1]), port


def plain_host(text: str) -> str:
    """A host as lower-case ASCII name or canonical address; NotSent for odd spellings such as 0x7f.1 or 127.1."""
    if text.startswith("["):
        try:
            return str(ipaddress.IPv6Address(text[1:-1]))
        except ValueError as error:
            raise NotSent(f"The host {text[:100]!r} is not an IPv6 address; nothing was sent.") from error
    try:
        host = text.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise NotSent(f"The host {text[:100]!r} is not a name; nothing was sent.") from error
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.match(label) for label in labels):
        raise NotSent(f"The host {text[:100]!r} is not a name; nothing was sent.")
    if _NUMBERISH.match(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError as error:
            raise NotSent(f"The host {text[:100]!r} is an odd spelling of an address; nothing was sent.") from error
    return host


def check_address(text: str, *, allow_private: bool) -> Address:
    """An address that may be connected to; NotSent with the reason otherwise."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise NotSent(f"{text[:60]!r} is not an address; nothing was sent.") from error
    if any(address in network for network in _PRIVATE) and address != _METADATA:
        if allow_private:
            return address
        raise NotSent(
            f"{address} belongs to this computer or a private network, so nothing was sent. If you run that server "
            "yourself, set allow_private_network = true for this connector."
        )
    if any(address in network for network in _NEVER) or not address.is_global or address.is_multicast:
        raise NotSent(f"{address} is not an address of a public server; nothing was sent.")
    return address


class Egress:
    """Http and Dial for one connector: it reaches the host and port of its configuration and no other."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        allow_private: bool = False,
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        proxy_for: ProxyFor = proxies.from_environment,
    ) -> None:
        """``tls`` replaces the default verified context (a private certificate authority, tests)."""
        self._host, self._port = plain_host(f"[{host}]" if ":" in host else host), port
        self._allow_private = allow_private
        self._resolver = resolver
        self._tls = tls
        self._proxy_for = proxy_for

    def _verified(self) -> ssl.SSLContext:
        """The TLS context, made once: reading the system's authorities takes tens of milliseconds."""
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    @classmethod
    def for_url(cls, base_url: str, **rules: Any) -> Egress:
        """The egress of a connector with this ``base_url``; NotSent when the URL itself breaks the rules."""
        target = parse_url(base_url)
        return cls(target.host, target.port, **rules)

    async def addresses(self, host: str, port: int) -> list[str]:
        """Every checked address of the one host this connector may reach; NotSent for another host, port, address."""
        self._only_mine(host, port)
        try:
            found = await self._found(port)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise NotSent(f"The name {self._host} could not be resolved ({error or 'no answer'}).") from error
        if not found:
            raise NotSent(f"The name {self._host} has no address; nothing was sent.")
        return [str(check_address(text, allow_private=self._allow_private)) for text in found]

    def _only_mine(self, host: str, port: int) -> None:
        """NotSent for another host or port than the configured one."""
        if plain_host(f"[{host}]" if ":" in host else host) != self._host or port != self._port:
            raise NotSent(
                f"This connector may reach {self._host}:{self._port} only, not {host}:{port}; nothing was sent."
            )

    async def _behind_proxy(self, host: str, port: int) -> None:
        """The same rules before a proxy is asked; a name that no name server here knows is left to the proxy."""
        self._only_mine(host, port)
        try:
            found = await self._found(port)
        except (OSError, UnicodeError, TimeoutError):
            return
        for text in found:
            check_address(text, allow_private=self._allow_private)

    async def _found(self, port: int) -> list[str]:
        """The addresses of the configured host, unchecked (OSError, TimeoutError)."""
        async with asyncio.timeout(CONNECT_WITHIN):
            return await self._literal_or_resolved(port)

    async def resolve(self, host: str, port: int) -> str:
        """Dial: the address to connect to for ``host:port``; NotSent when the rules refuse it."""
        return (await self.addresses(host, port))[0]

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,  # the sdk's signature: it bounds the whole exchange
    ) -> HttpAnswer:
        """One request, one answer of any status. NotSent: nothing left. MaybeSent: it may have arrived.

        ``timeout`` in seconds is for the whole exchange.
        """
        target = parse_url(url)
        line = await self._line(target)
        request = _request(target, method, _headers(target, headers, body), body, line.proxy)
        try:
            async with asyncio.timeout(timeout), self._pool(line, target) as pool:
                answer = await _exchange(pool, request)
        except MaybeSent:
            raise
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError, ValueError) as error:
            reason = _plain(error, timeout)
            if not line.wrote:
                raise NotSent(f"{target.host} was not reached: {reason}.") from error
            raise MaybeSent(f"The request went to {target.host}, then {reason}.") from error
        if line.proxy and answer.status == proxies.NEEDS_SIGN_IN:
            raise NotSent(proxies.needs_sign_in(line.proxy))
        return answer

    async def open(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None, patience: float
    ) -> Opened:
        """The same for an answer that is read as it comes; the caller closes it and bounds the whole exchange.

        ``patience`` in seconds is the longest silence. NotSent and MaybeSent as in ``send``.
        """
        target = parse_url(url)
        line = await self._line(target)
        request = _request(target, method, _headers(target, headers, body), body, line.proxy)
        request.extensions["timeout"] = {"connect": CONNECT_WITHIN, "read": patience, "write": patience}
        pool = self._pool(line, target)
        try:
            answer = await pool.handle_async_request(request)
        except BaseException as error:  # whatever ended it, a cancelled wait included: nothing may stay open
            await pool.aclose()
            if not isinstance(
                error, (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError)
            ):
                raise
            reason = _plain(error, patience)
            if not line.wrote:
                raise NotSent(f"{target.host} was not reached: {reason}.") from error
            raise MaybeSent(f"The request went to {target.host}, then {reason}.") from error
        return Opened(pool, answer, target.host, patience)

    async def _line(self, target: Target) -> _Line:
        """The way to the target: straight to a checked address, or through the proxy that is set."""
        proxy = self._proxy_for(target.scheme, target.host, target.port)
        if proxy is None:
            return _Line(await self.addresses(target.host, target.port))
        await self._behind_proxy(target.host, target.port)
        return _Line([proxy.host], proxy, tunnelled=target.scheme == "https")

    def _pool(self, line: _Line, target: Target) -> httpcore.AsyncConnectionPool:
        """A pool for a single request: nothing is kept for the next one."""
        return httpcore.AsyncConnectionPool(
            ssl_context=self._verified() if target.scheme == "https" else None,
            max_connections=1,
            max_keepalive_connections=0,
            retries=0,
            network_backend=line,
        )

    async def _literal_or_resolved(self, port: int) -> list[str]:
        try:
            return [str(ipaddress.ip_address(self._host))]
        except ValueError:
            return await self._resolver(self._host, port)


def _request(
    target: Target,
    method: str,
    headers: list[tuple[bytes, bytes]],
    body: bytes | None,
    proxy: Proxy | None,
) -> httpcore.Request:
    """The request as it stands on the line; one that a proxy passes on in the clear names the whole URL."""
    extensions: dict[str, Any] = {"timeout": {"connect": CONNECT_WITHIN}, "sni_hostname": target.host}
    if proxy is not None and target.scheme == "http":
        extensions["target"] = b"http://" + target.authority + target.path.encode()
        headers = [*headers, *proxy.headers]
    url = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
    )
    return httpcore.Request(method.encode("ascii"), url, headers=headers, content=body or b"", extensions=extensions)


def _headers(target: Target, headers: Mapping[str, str], body: bytes | None) -> list[tuple[bytes, bytes]]:
    """The request's headers; Host, length and encoding are ours. NotSent for a header that could smuggle another."""
    ours = {b"host": target.authority, b"accept-encoding": b"identity", b"connection": b"close"}
    if body is not None:
        ours[b"content-length"] = str(len(body)).encode()
    given = []
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not re.fullmatch(r"[\t\x20-\x7e]*", value):
            raise NotSent(f"The header {name[:60]!r} has a character that headers cannot carry; nothing was sent.")
        if name.lower().encode() not in {*ours, b"content-length", b"transfer-encoding"}:
            given.append((name.encode(), value.encode()))
    return [*ours.items(), *given]


async def _exchange(pool: httpcore.AsyncConnectionPool, request: httpcore.Request) -> HttpAnswer:
    """Send and read the complete answer; MaybeSent when it is too large."""
    answer = await pool.handle_async_request(request)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in answer.aiter_stream():
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER:
                raise MaybeSent(_too_large(answer.status, parts[0]))
    finally:
        await answer.aclose()
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
    return HttpAnswer(answer.status, headers, b"".join(parts))


class Opened:
    """An answer that is being read; its connection is closed with it."""

    def __init__(
        self, pool: httpcore.AsyncConnectionPool, answer: httpcore.Response, host: str, patience: float
    ) -> None:
        """Only ``Egress.open`` makes one."""
        self._pool, self._answer, self._host, self._patience = pool, answer, host, patience
        self.status = answer.status
        self.headers = [(name, value) for name, value in answer.headers]

    async def parts(self) -> AsyncIterator[bytes]:
        """The body as it comes; MaybeSent when the line breaks, when it is silent too long or the body too large."""
        size = 0
        try:
            async for part in self._answer.aiter_stream():
                size += len(part)
                if size > MAX_ANSWER:
                    raise MaybeSent(_too_large(self.status, part))
                yield part
        except _BROKEN as error:
            raise MaybeSent(f"The answer of {self._host} was cut: {_plain(error, self._patience)}.") from error

    async def aclose(self) -> None:
        """Close the connection, read to its end or not."""
        await self._answer.aclose()
        await self._pool.aclose()


def _too_large(status: int, beginning: bytes) -> str:
    """An answer that is not read to its end, with what it began with."""
    text = "".join(c if c.isprintable() else " " for c in beginning[:1200].decode("utf-8", "replace")[:200]).strip()
    size = MAX_ANSWER // (1024 * 1024)
    return f"The answer ({status}) is over {size} MB, so it was not read to its end. It began: {text}"


def _plain(error: BaseException, timeout: float) -> str:
    """What happened to the line, in words."""
    if isinstance(error, (httpcore.TimeoutException, TimeoutError)):
        return f"no answer came in time (limit {timeout:g} s)"
    if isinstance(error, httpcore.ProtocolError):
        return f"the answer was broken ({error or 'cut off'})"
    return f"the connection failed ({error or type(error).__name__})"


class _Line(httpcore.AsyncNetworkBackend):
    """Connects to the checked addresses only, and remembers whether a byte of the request was handed over."""

    def __init__(self, addresses: Iterable[str], proxy: Proxy | None = None, *, tunnelled: bool = False) -> None:
        self._addresses, self.proxy, self._tunnelled = list(addresses), proxy, tunnelled
        self._real = httpcore.AnyIOBackend()
        self.wrote = False

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Try the checked addresses in their order; the name itself is never resolved again."""
        last: Exception = httpcore.ConnectError(f"no address for {host}")
        for address in self._addresses:
            try:
                there = self.proxy.port if self.proxy else port
                stream = await self._real.connect_tcp(address, there, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
                continue
            if self.proxy and self._tunnelled:
                await self._dig(stream, host, port)
            return _Stream(stream, self)
        raise last

    async def _dig(self, stream: httpcore.AsyncNetworkStream, host: str, port: int) -> None:
        """Ask the proxy for a tunnel; the connection is closed when there is none. No byte of the request is in it."""
        assert self.proxy is not None
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            await proxies.tunnel(stream, self.proxy, authority, CONNECT_WITHIN)
        except BaseException:  # whatever ended it, a cancelled wait included: the connection must not stay open
            await stream.aclose()
            raise

    async def sleep(self, seconds: float) -> None:
        """Nothing here waits between attempts; httpcore asks for the method."""
        await asyncio.sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """A connection that notes the first byte of the request (the TLS handshake does not pass through ``write``)."""

    def __init__(self, real: httpcore.AsyncNetworkStream, line: _Line) -> None:
        self._real, self._line = real, line

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # httpcore's
        return await self._real.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # httpcore's
        self._line.wrote = self._line.wrote or bool(buffer)
        await self._real.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._real.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        return _Stream(await self._real.start_tls(ssl_context, server_hostname, timeout), self._line)

    def get_extra_info(self, info: str) -> Any:
        return self._real.get_extra_info(info)
