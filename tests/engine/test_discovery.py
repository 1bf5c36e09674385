"""Discovery with a DNS of our own and a real HTTPS server on this computer."""

from __future__ import annotations

import datetime
import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from soloist.engine import presets
from soloist.engine.discovery import Discovery
from soloist.engine.presets import Place
from soloist.kernel.errors import BadInput

HOSTS = ["autoconfig.studio-linde.example", "studio-linde.example", "autoconfig.thunderbird.net", "elsewhere.example"]
FILE = """<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="studio-linde.example"><displayName>Linde Mail</displayName>
<incomingServer type="pop3"><hostname>pop.studio-linde.example</hostname><port>995</port>
<socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>imap.studio-linde.example</hostname><port>143</port>
<socketType>plain</socketType></incomingServer>
<incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
<username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.studio-linde.example</hostname><port>587</port>
<socketType>STARTTLS</socketType><username>%EMAILLOCALPART%</username></outgoingServer></emailProvider></clientConfig>"""
ADDRESS = "mara@studio-linde.example"


class Names:
    """A DNS that knows what it is told."""

    def __init__(self, exchangers: list[str] | None = None, services: dict[str, tuple[str, int]] | None = None) -> None:
        self._exchangers, self._services = exchangers or [], services or {}

    async def exchangers(self, domain: str) -> list[str]:
        return self._exchangers

    async def services(self, name: str) -> list[tuple[str, int]]:
        return [self._services[name]] if name in self._services else []


class Site:
    """An HTTPS server that gives ``files`` by host and path and notes who was asked for what."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[tuple[str, str], str] = {}
        self.moved: dict[tuple[str, str], str] = {}
        self.asked: list[tuple[str, str]] = []
        certificate = folder / "site.pem"
        certificate.write_bytes(_certificate())
        self.tls = ssl.create_default_context(cafile=str(certificate))
        site = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = (self.headers["Host"].partition(":")[0], self.path.partition("?")[0])
                site.asked.append((key[0], self.path))
                body = site.files.get(key, "").encode()
                self.send_response(302 if key in site.moved else 200 if body else 404)
                if key in site.moved:
                    self.send_header("Location", site.moved[key])
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        inside.load_cert_chain(certificate)
        self.server.socket = inside.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def discovery(self, names: Names, good: tuple[Place, ...] = ()) -> Discovery:
        async def here(host: str, port: int) -> list[str]:
            return ["127.0.0.1"]

        async def probe(place: Place) -> bool:
            return place in good

        return Discovery(
            names=names, resolver=here, allow_private=True, tls=self.tls, https_port=self.port, probe=probe
        )


def _certificate() -> bytes:
    """A key and a certificate for the hosts of these tests."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return private + made.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize(
    ("address", "provider", "imap", "smtp"),
    [
        ("ada@gmail.com", "google", "imap.gmail.com", "smtp.gmail.com"),
        ("ada@GMX.de", "gmx", "imap.gmx.net", "mail.gmx.net"),
        ("ada@outlook.com", "microsoft", "outlook.office365.com", "smtp-mail.outlook.com"),
        ("ada@t-online.de", "t-online", "secureimap.t-online.de", "securesmtp.t-online.de"),
    ],
)
async def test_a_known_domain_needs_no_network(site, address, provider, imap, smtp):
    found = (await site.discovery(Names()).find(address)).found
    assert (found.provider, found.imap.host, found.smtp.host) == (provider, imap, smtp)
    assert site.asked == []


@pytest.mark.parametrize(
    ("exchanger", "imap", "auth"),
    [
        ("aspmx.l.google.com", "imap.gmail.com", "password"),
        ("linde.mail.protection.outlook.com", "outlook.office365.com", "xoauth2"),
        ("w0123456.kasserver.com", "w0123456.kasserver.com", "password"),
        ("www42.your-server.de", "mail.your-server.de", "password"),
    ],
)
async def test_the_mail_exchanger_tells_the_provider(site, exchanger, imap, auth):
    found = (await site.discovery(Names([exchanger])).find(ADDRESS)).found
    assert (found.imap.host, found.auth, found.username) == (imap, auth, ADDRESS)
    assert exchanger in found.source


async def test_a_name_that_only_ends_alike_is_not_the_provider(site):
    assert (await site.discovery(Names(["mx.notgoogle.com"])).find(ADDRESS)).found is None


async def test_the_domains_own_file_is_read_and_only_tls_is_taken(site):
    site.files["autoconfig.studio-linde.example", "/mail/config-v1.1.xml"] = FILE
    found = (await site.discovery(Names()).find(ADDRESS)).found
    assert found.imap == Place("imap.studio-linde.example", 993, "tls")
    assert found.smtp == Place("smtp.studio-linde.example", 587, "starttls")
    assert (found.username, found.title) == ("mara", "Linde Mail")
    assert found.source.startswith("the settings published at https://autoconfig.studio-linde.example")


async def test_the_second_place_and_a_redirect_to_https_are_followed(site):
    path = "/.well-known/autoconfig/mail/config-v1.1.xml"
    site.moved["studio-linde.example", path] = f"https://elsewhere.example:{site.port}/file.xml"
    site.files["elsewhere.example", "/file.xml"] = FILE
    assert (await site.discovery(Names()).find(ADDRESS)).found is not None


async def test_a_redirect_without_tls_is_not_followed(site):
    site.moved["autoconfig.studio-linde.example", "/mail/config-v1.1.xml"] = "http://elsewhere.example/file.xml"
    search = await site.discovery(Names()).find(ADDRESS)
    assert search.found is None
    assert any("without TLS" in line for line in search.looked)


async def test_the_public_database_is_asked_only_with_consent_and_never_learns_the_address(site):
    site.files["autoconfig.thunderbird.net", "/v1.1/studio-linde.example"] = FILE
    assert (await site.discovery(Names()).find(ADDRESS)).found is None
    assert "autoconfig.thunderbird.net" not in {host for host, _ in site.asked}
    assert (await site.discovery(Names()).find(ADDRESS, ask_public=True)).found is not None
    assert ("autoconfig.thunderbird.net", "/v1.1/studio-linde.example") in site.asked


async def test_srv_records_come_after_files_and_prefer_tls_at_once(site):
    names = Names(
        services={
            "_imaps._tcp.studio-linde.example": ("mx.studio-linde.example", 993),
            "_imap._tcp.studio-linde.example": ("mx.studio-linde.example", 143),
            "_submission._tcp.studio-linde.example": ("mx.studio-linde.example", 587),
        }
    )
    found = (await site.discovery(names).find(ADDRESS)).found
    assert (found.imap.security, found.smtp, found.doubt) == (
        "tls",
        Place("mx.studio-linde.example", 587, "starttls"),
        "",
    )


async def test_srv_records_that_lead_away_are_doubted(site):
    away = ("mx.quick-offers.example", 993)
    names = Names(
        services={"_imaps._tcp.studio-linde.example": away, "_submissions._tcp.studio-linde.example": (away[0], 465)}
    )
    found = (await site.discovery(names).find(ADDRESS)).found
    assert "mx.quick-offers.example" in found.doubt


async def test_a_guess_is_a_server_that_answered(site):
    good = (Place("mail.studio-linde.example", 993, "tls"), Place("mail.studio-linde.example", 587, "starttls"))
    found = (await site.discovery(Names(), good).find(ADDRESS)).found
    assert (found.imap, found.smtp) == good
    assert "guess" in found.source


async def test_private_addresses_are_refused_by_default(site):
    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    search = await Discovery(names=Names(), resolver=here, tls=site.tls, https_port=site.port).find(ADDRESS)
    assert search.found is None
    assert site.asked == []


async def test_the_probe_wants_a_certificate_for_the_name(site):
    probe = Discovery(resolver=_here, allow_private=True, tls=site.tls)._answers
    assert await probe(Place("elsewhere.example", site.port, "tls"))
    assert not await probe(Place("imap.studio-linde.example", site.port, "tls"))


async def _here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize("text", ["", "mara", "@x.example", "a b@x.example", "mara@0x7f.1", "a@b@c.example"])
async def test_what_is_no_address_is_said(text):
    with pytest.raises(BadInput):
        await Discovery(names=Names()).find(text)


def test_every_preset_is_whole_and_no_domain_is_named_twice():
    entries = presets.known().values()
    domains = [domain for entry in entries for domain in entry.domains]
    assert len(domains) == len(set(domains))
    assert all(entry.imap.security in ("tls", "starttls") and 0 < entry.smtp.port < 65536 for entry in entries)
    assert all(entry.domains or entry.mx for entry in entries)
