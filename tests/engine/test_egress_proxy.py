"""Egress behind a company's proxy: a small proxy on loopback, both ways through it, and every way it can refuse."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from soloist.engine import proxy as proxies
from soloist.engine.egress import Egress
from soloist.engine.proxy import Proxy, from_environment, parse
from soloist.sdk import MaybeSent, NotSent
from tests.engine.test_egress import OK, Talk, answering, certificate, closing, server, silent

PAIR = "Basic bWFyYTpzM2NyM3Q="  # mara:s3cr3t
REFUSED = b"HTTP/1.1 403 Filtered by the company\r\nContent-Length: 0\r\n\r\n"
ASKS = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"


async def public(_host: str, _port: int) -> list[str]:
    return ["93.184.215.14"]


async def private(_host: str, _port: int) -> list[str]:
    return ["10.0.0.7"]


async def unknown(_host: str, _port: int) -> list[str]:
    raise OSError("Name or service not known")


@asynccontextmanager
async def proxy(seen: list[bytes], *, port: int = 0, answer: bytes = b"") -> AsyncIterator[int]:
    """A forward proxy whose every tunnel and every plain request ends at one port of this machine, or is refused."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        seen.append(head)
        if answer:
            writer.write(answer)
            await writer.drain()
            return
        there, away = await asyncio.open_connection("127.0.0.1", port)
        if head.startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            away.write(head)
        await asyncio.gather(pass_on(reader, away), pass_on(there, writer), return_exceptions=True)

    async with server(talk) as listening:
        yield listening


@asynccontextmanager
async def secure(folder: Path, talk: Talk) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """A TLS server for shop.example, and the context that trusts it."""
    pem, trusting = certificate(folder, "shop.example")
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(pem)
    async with server(talk, ssl=own) as port:
        yield port, trusting


async def post(url: str, through: Proxy, timeout: float = 2.0, **rules: object) -> int:
    given = {"resolver": public, "proxy_for": lambda *_: through, **rules}
    egress = Egress.for_url(url, **given)
    return (await egress.send("POST", url, headers={"X-Key": "k"}, body=b"{}", timeout=timeout)).status


async def test_https_goes_through_a_tunnel_and_the_proxy_sees_only_the_name(tmp_path: Path) -> None:
    seen: list[bytes] = []
    inside: list[bytes] = []
    async with secure(tmp_path, answering(OK, inside)) as (port, trusting), proxy(seen, port=port) as listening:
        through = Proxy("127.0.0.1", listening, PAIR)
        assert await post("https://shop.example/charges", through, tls=trusting) == 200
    assert seen == [
        f"CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\nproxy-authorization: {PAIR}\r\n\r\n".encode()
    ]
    assert inside[0].startswith(b"POST /charges HTTP/1.1\r\nhost: shop.example\r\n")
    assert b"proxy-authorization" not in inside[0]


async def test_http_names_the_whole_url_to_the_proxy() -> None:
    seen: list[bytes] = []
    async with server(answering(OK)) as port, proxy(seen, port=port) as listening:
        assert await post("http://shop.example/charges?a=1", Proxy("127.0.0.1", listening, PAIR)) == 200
    assert seen[0].startswith(b"POST http://shop.example/charges?a=1 HTTP/1.1\r\n")
    assert PAIR.encode() in seen[0]


@pytest.mark.parametrize(
    ("answer", "said"),
    [(REFUSED, r"refused to reach shop.example:443 \(403 Filtered by the company\)"), (ASKS, "asks for a name")],
)
async def test_a_tunnel_that_is_refused_is_not_sent(answer: bytes, said: str) -> None:
    async with proxy([], answer=answer) as listening:
        with pytest.raises(NotSent, match=said):
            await post("https://shop.example/", Proxy("127.0.0.1", listening))


async def test_a_wrong_password_of_the_proxy_is_not_sent_and_not_repeated() -> None:
    async with proxy([], answer=ASKS) as listening:
        with pytest.raises(NotSent, match="refused the name and password") as caught:
            await post("http://shop.example/", Proxy("127.0.0.1", listening, PAIR))
    assert "s3cr3t" not in str(caught.value)
    assert PAIR not in str(caught.value)


@pytest.mark.parametrize("talk", [closing, silent, answering(b"220 mail.example ESMTP\r\n\r\n")])
async def test_a_proxy_that_is_none_is_not_sent(talk: Talk) -> None:
    async with server(talk) as port:
        with pytest.raises(NotSent):
            await post("https://shop.example/", Proxy("127.0.0.1", port), timeout=0.5)


async def test_a_proxy_that_is_not_there_is_not_sent() -> None:
    async with server(silent) as port:
        pass
    with pytest.raises(NotSent, match=r"shop\.example was not reached"):
        await post("https://shop.example/", Proxy("127.0.0.1", port))


async def test_a_tunnel_that_breaks_after_the_request_is_maybe_sent(tmp_path: Path) -> None:
    async with secure(tmp_path, closing) as (port, trusting), proxy([], port=port) as listening:
        with pytest.raises(MaybeSent):
            await post("https://shop.example/", Proxy("127.0.0.1", listening), tls=trusting)


@pytest.mark.parametrize("url", ["http://shop.example/", "https://shop.example/", "https://169.254.169.254/"])
async def test_a_private_address_is_refused_before_the_proxy_hears_of_it(url: str) -> None:
    seen: list[bytes] = []
    async with proxy(seen, answer=OK) as listening:
        with pytest.raises(NotSent, match="nothing was sent"):
            await post(url, Proxy("127.0.0.1", listening), resolver=private)
    assert seen == []


async def test_a_name_that_only_the_proxy_knows_is_left_to_it() -> None:
    async with proxy([], answer=OK) as listening:
        assert await post("http://shop.example/", Proxy("127.0.0.1", listening), resolver=unknown) == 200


async def test_another_host_than_the_configured_one_is_refused_here() -> None:
    egress = Egress("shop.example", 443, resolver=public, proxy_for=lambda *_: Proxy("127.0.0.1", 1))
    with pytest.raises(NotSent, match="may reach shop.example:443 only"):
        await egress.send("GET", "https://other.example/", headers={}, body=None, timeout=1)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (("https", "shop.example", 443), "secure.proxy"),
        (("http", "shop.example", 80), "plain.proxy"),
        (("https", "intern.example", 443), None),
        (("https", "a.intern.example", 443), None),
        (("https", "notintern.example", 443), "secure.proxy"),
        (("https", "10.1.2.3", 443), None),
        (("https", "port.example", 8443), None),
        (("https", "port.example", 443), "secure.proxy"),
        (("https", "127.0.0.1", 443), None),
        (("https", "::1", 443), None),
        (("http", "localhost", 80), None),
    ],
)
def test_the_environment_decides_by_scheme_and_exception(
    target: tuple[str, str, int], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://secure.proxy:8080")
    monkeypatch.setenv("HTTP_PROXY", "http://plain.proxy:8080")
    monkeypatch.setenv("NO_PROXY", "intern.example, 10.0.0.0/8, port.example:8443")
    found = from_environment(*target)
    assert (found.host if found else None) == expected


def test_name_and_password_of_the_proxy_are_read() -> None:
    assert parse("http://mara:s3cr3t@proxy.example:8080") == Proxy("proxy.example", 8080, PAIR)
    assert parse("proxy.example").port == 3128


@pytest.mark.parametrize("url", ["socks5://mara:s3cr3t@proxy:1080", "https://proxy.example", "http://", "http://a:b:c"])
def test_a_proxy_that_cannot_be_used_is_said_without_its_password(url: str) -> None:
    with pytest.raises(NotSent, match="http://host:port") as caught:
        proxies.parse(url)
    assert "s3cr3t" not in str(caught.value)
