"""Proxy: the way through a company's forward proxy, as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name it.

Only http(s) calls take it. For https it opens a tunnel (CONNECT), so that the proxy sees a host name and nothing more.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import urllib.parse
import urllib.request
from dataclasses import dataclass

import httpcore

from soloist.sdk import NotSent

MOST_HEAD = 16 * 1024
"""Largest answer to CONNECT, in bytes."""
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]{0,200}")
NEEDS_SIGN_IN = 407


@dataclass(frozen=True)
class Proxy:
    """A forward proxy: where it is, and the credentials header for it ("" for none)."""

    host: str
    port: int
    credentials: str = ""

    @property
    def name(self) -> str:
        """How a sentence names it; never with its password."""
        return f"the proxy {self.host}:{self.port}"

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What a request that the proxy itself reads carries."""
        return [(b"proxy-authorization", self.credentials.encode())] if self.credentials else []


def from_environment(scheme: str, host: str, port: int) -> Proxy | None:
    """The proxy for this target, None for a direct way; NotSent when the environment names one that cannot be used.

    This machine is never asked for through a proxy, whatever the environment says.
    """
    known = urllib.request.getproxies_environment()
    url = known.get(scheme) or known.get("all") or ""
    if not url or _is_this_machine(host) or _bypassed(host, port, known.get("no", "")):
        return None
    return parse(url)


def parse(url: str) -> Proxy:
    """A proxy by its URL; NotSent names what would be right, without repeating a password."""
    try:
        parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or 3128
    except ValueError as error:
        raise NotSent(
            "The proxy in the environment cannot be read: write http://host:port; nothing was sent."
        ) from error
    if parts.scheme != "http" or not host:
        raise NotSent(
            f"The proxy in the environment has the scheme {parts.scheme!r}: only http://host:port can be used; "
            "nothing was sent."
        )
    credentials = ""
    if parts.username is not None:
        pair = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        credentials = "Basic " + base64.b64encode(pair.encode()).decode()
    return Proxy(host, port, credentials)


async def tunnel(stream: httpcore.AsyncNetworkStream, proxy: Proxy, authority: str, timeout: float) -> None:
    """CONNECT to ``host:port`` over an open connection to the proxy; NotSent with the proxy's word when it refuses."""
    lines = [f"CONNECT {authority} HTTP/1.1".encode(), f"Host: {authority}".encode()]
    lines += [name + b": " + value for name, value in proxy.headers]
    await stream.write(b"\r\n".join([*lines, b"", b""]), timeout)
    head = b""
    while b"\r\n\r\n" not in head:
        part = await stream.read(4096, timeout)
        head += part
        if not part or len(head) > MOST_HEAD:
            raise NotSent(f"{proxy.name} did not answer as a proxy does; nothing was sent.".capitalize())
    refuse_unless_open(proxy, authority, head)


def refuse_unless_open(proxy: Proxy, authority: str, head: bytes) -> None:
    """NotSent unless the proxy's answer opens the tunnel."""
    found = _STATUS.match(head)
    status = int(found[1]) if found else 0
    if status == NEEDS_SIGN_IN:
        raise NotSent(needs_sign_in(proxy))
    if not 200 <= status < 300:
        said = found[0].decode("latin-1").partition(" ")[2] if found else "something that is not HTTP"
        raise NotSent(f"The proxy {proxy.host}:{proxy.port} refused to reach {authority} ({said}); nothing was sent.")


def needs_sign_in(proxy: Proxy) -> str:
    """What to say when the proxy wants a name and a password, or others than it got."""
    what = "refused the name and password" if proxy.credentials else "asks for a name and a password"
    return (
        f"The proxy {proxy.host}:{proxy.port} {what}; nothing was sent. Write them as http://name:password@host:port."
    )


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bypassed(host: str, port: int, listed: str) -> bool:
    """NO_PROXY: ``*``, names with their subdomains, addresses, networks such as 10.0.0.0/8; a name may have a port."""
    return any(_meant(host, port, part.strip().lower()) for part in listed.split(",") if part.strip())


def _meant(host: str, port: int, entry: str) -> bool:
    """Whether one entry of NO_PROXY means this host and port."""
    if entry == "*" or "/" in entry:
        return entry == "*" or _in_network(host, entry)
    with_port = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^:]+):(\d+)", entry)
    if with_port and int(with_port[2]) != port:
        return False
    name = (with_port[1] if with_port else entry).strip("[]").lstrip(".")
    return host == name or host.endswith(f".{name}")


def _in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
