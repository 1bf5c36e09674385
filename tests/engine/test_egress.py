"""Egress: hostile addresses are refused before anything leaves, and every broken line is named for what it is."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from soloist.engine.egress import Egress, check_address, parse_url, plain_host
from soloist.sdk import HttpAnswer, MaybeSent, NotSent

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def server(talk: Talk, **options: object) -> AsyncIterator[int]:
    """A server on loopback whose every connection is ``talk``; yields its port."""

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(run, "127.0.0.1", 0, **options)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()


def answering(data: bytes, seen: list[bytes] | None = None) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(head)
        writer.write(data)
        await writer.drain()

    return talk


async def names(*addresses: str) -> list[str]:
    return list(addresses)


async def post(port: int, *, timeout: float = 2.0, name: str = "127.0.0.1", **rules: object) -> HttpAnswer:
    url = f"http://{name}:{port}/charges"
    egress = Egress.for_url(url, **{"allow_private": True, **rules})
    return await egress.send("POST", url, headers={"X-Key": "k"}, body=b"{}", timeout=timeout)


REFUSED_URLS = [
    "ftp://example.com/", "file:///etc/passwd", "//example.com/", "http:127.0.0.1/", "http://user@example.com/",
    "http://example.com\\@127.0.0.1/", "http://%31%32%37.0.0.1/", "http://example.com%0d%0aHost:x/", "http:// /",
    "http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://0177.0.0.1/", "http://[fe80::1%25eth0]/",
    "http://exa mple.com/", "http://example.com:99999/", "http://example.com:+80/", "http://..", "http://a\r\nb/",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_crooked_url_is_refused(url: str) -> None:
    with pytest.raises(NotSent, match="nothing was sent"):
        parse_url(url)


REFUSED_ADDRESSES = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "198.18.0.1", "192.0.2.1", "::1", "::", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
    "64:ff9b:1::1", "2002:7f00:1::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "::8.8.8.8",
    "::ffff:0:127.0.0.1", "240.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED_ADDRESSES)
def test_an_address_that_is_not_a_public_server_is_refused(text: str) -> None:
    with pytest.raises(NotSent):
        check_address(text, allow_private=False)


@pytest.mark.parametrize("text", ["169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1", "::"])
def test_a_private_network_never_includes_metadata_servers_or_hidden_forms(text: str) -> None:
    with pytest.raises(NotSent):
        check_address(text, allow_private=True)


@pytest.mark.parametrize("text", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"])
def test_a_private_network_can_be_allowed(text: str) -> None:
    assert str(check_address(text, allow_private=True)) == text


@pytest.mark.parametrize("text", ["93.184.216.34", "2606:2800:220:1::1"])
def test_public_servers_are_allowed(text: str) -> None:
    assert str(check_address(text, allow_private=False)) == text


def test_hosts_are_compared_in_one_spelling() -> None:
    assert plain_host("Müller.Example.") == "xn--mller-kva.example"


def test_a_path_is_escaped_and_keeps_its_query() -> None:
    assert parse_url("https://a.example/a b/ü?q=x y#frag").path == "/a%20b/%C3%BC?q=x%20y"


async def test_one_private_answer_among_public_ones_is_refused() -> None:
    egress = Egress.for_url("https://a.example/", resolver=lambda h, p: names("93.184.216.34", "127.0.0.1"))
    with pytest.raises(NotSent, match="allow_private_network"):
        await egress.addresses("a.example", 443)


@pytest.mark.parametrize("url", ["http://b.example/", "http://a.example:8080/", "https://a.example/"])
async def test_another_host_or_port_than_the_configured_one_is_refused(url: str) -> None:
    egress = Egress.for_url("http://a.example/", resolver=lambda h, p: names("93.184.216.34"))
    with pytest.raises(NotSent, match="may reach a.example:80 only"):
        await egress.send("GET", url, headers={}, body=None, timeout=1)


async def test_the_name_is_resolved_once_and_the_checked_address_is_used() -> None:
    calls: list[str] = []

    async def resolver(host: str, port: int) -> list[str]:
        calls.append(host)
        return ["127.0.0.1"]

    seen: list[bytes] = []
    async with server(answering(OK, seen)) as port:
        answer = await post(port, name="shop.example", resolver=resolver)
    assert (answer.status, answer.body, calls) == (200, b"{}", ["shop.example"])
    assert f"host: shop.example:{port}".encode() in seen[0].lower()


async def test_a_redirect_is_returned_and_not_followed() -> None:
    async with server(
        answering(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    ) as port:
        assert (await post(port)).status == 302


async def test_this_machine_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with server(answering(OK)) as port:
        assert (await post(port)).status == 200


async def test_every_request_has_its_own_connection() -> None:
    ports: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ports.append(writer.get_extra_info("peername")[1])
        await answering(OK)(reader, writer)

    async with server(talk) as port:
        await post(port), await post(port)
    assert len(set(ports)) == 2


async def test_a_closed_port_is_not_sent() -> None:
    async with server(answering(OK)) as port:
        pass
    with pytest.raises(NotSent, match="was not reached"):
        await post(port)


async def test_a_name_without_address_is_not_sent() -> None:
    with pytest.raises(NotSent, match="has no address"):
        await post(80, name="a.example", resolver=lambda h, p: names())


async def test_tls_against_a_plain_server_is_not_sent() -> None:
    async with server(answering(OK)) as port:
        egress = Egress.for_url(f"https://127.0.0.1:{port}/", allow_private=True)
        with pytest.raises(NotSent):
            await egress.send("POST", f"https://127.0.0.1:{port}/", headers={}, body=b"{}", timeout=20)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(5)


async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.transport.abort()


BROKEN = {
    "silent": silent,
    "closed without an answer": closing,
    "reset": resetting,
    "cut body": answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
    "cut chunk": answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"),
    "not http": answering(b"220 mail.example ESMTP\r\n"),
    "half a status line": answering(b"HTTP/1.1 2"),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_line_that_breaks_after_the_request_is_maybe_sent(how: str) -> None:
    async with server(BROKEN[how]) as port:
        with pytest.raises(MaybeSent, match="The request went to"):
            await post(port, timeout=1.5)


async def test_a_huge_answer_is_maybe_sent() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(100):
            writer.write(b"x" * 100_000)
            await writer.drain()

    async with server(talk) as port:
        with pytest.raises(MaybeSent, match="over 5 MB"):
            await post(port, timeout=60)


@pytest.mark.parametrize("headers", [{"X": "a\r\nHost: b"}, {"X\r\nY": "a"}, {"X": "ü"}])
async def test_a_header_that_would_smuggle_another_is_not_sent(headers: dict[str, str]) -> None:
    egress = Egress.for_url("http://127.0.0.1:9/", allow_private=True)
    with pytest.raises(NotSent, match="header"):
        await egress.send("POST", "http://127.0.0.1:9/", headers=headers, body=b"", timeout=1)


async def test_a_given_host_or_length_cannot_replace_ours() -> None:
    seen: list[bytes] = []
    async with server(answering(OK, seen)) as port:
        url = f"http://127.0.0.1:{port}/"
        given = {"Host": "evil.example", "Content-Length": "999", "Transfer-Encoding": "chunked"}
        await Egress.for_url(url, allow_private=True).send("POST", url, headers=given, body=b"{}", timeout=20)
    head = seen[0].lower()
    assert b"evil" not in head
    assert b"chunked" not in head
    assert b"content-length: 2" in head


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for ``name``: the PEM with its key, and a client context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return pem, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())


@asynccontextmanager
async def tls_server(folder: Path, name: str, asked: list[str]) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    pem, client = certificate(folder, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.sni_callback = lambda sock, sni, ctx: asked.append(sni)
    async with server(answering(OK), ssl=context) as port:
        yield port, client


async def test_tls_keeps_the_name_in_sni_and_checks_the_certificate_for_it(tmp_path: Path) -> None:
    asked: list[str] = []
    async with tls_server(tmp_path, "shop.example", asked) as (port, trusting):
        url = f"https://shop.example:{port}/"
        egress = Egress.for_url(url, allow_private=True, resolver=lambda h, p: names("127.0.0.1"), tls=trusting)
        answer = await egress.send("POST", url, headers={}, body=b"{}", timeout=20)
    assert (answer.status, asked) == (200, ["shop.example"])


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_wrong_or_untrusted_certificate_is_not_sent(tmp_path: Path, trusted: bool) -> None:
    async with tls_server(tmp_path, "other.example", []) as (port, trusting):
        url = f"https://shop.example:{port}/"
        tls = trusting if trusted else None
        egress = Egress.for_url(url, allow_private=True, resolver=lambda h, p: names("127.0.0.1"), tls=tls)
        with pytest.raises(NotSent, match="certificate"):
            await egress.send("POST", url, headers={}, body=b"{}", timeout=20)


async def test_the_second_address_is_tried_when_the_first_does_not_answer() -> None:
    async with server(answering(OK)) as port:
        answer = await post(port, name="a.example", resolver=lambda h, p: names("127.0.0.9", "127.0.0.1"))
    assert answer.status == 200


def test_ipv6_hosts_keep_their_brackets_in_the_host_header() -> None:
    target = parse_url("http://[2606:2800::1]:8080/x")
    assert (ipaddress.ip_address(target.host).version, target.authority) == (6, b"[2606:2800::1]:8080")
