"""Discovery: finds the servers of a mailbox from its address; it sends no password and decides nothing.

Looked at in this order: presets by domain and by mail exchanger, the domain's own settings file, the public database
(only when it may be asked), SRV records, and servers that answer under the usual names with a valid certificate.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol
from urllib.parse import quote, urljoin

import dns.asyncresolver
import dns.exception

from soloist.engine import autoconfig, presets
from soloist.engine.egress import Egress, Resolver, plain_host, system_resolver
from soloist.engine.presets import Place, Preset
from soloist.kernel.errors import BadInput
from soloist.sdk import MaybeSent, NotSent

PUBLIC_DATABASE = "autoconfig.thunderbird.net"
"""Thunderbird's list of settings. Asking it tells a third party the domain, so it is asked only with consent."""
WITHIN = 8.0
"""Seconds one question may take."""
_REDIRECTS = 3
_NOBODY = ("", ".", "@")
"""Targets that say that a service is not offered."""


@dataclass(frozen=True)
class Found:
    """Settings for an address and where they come from; ``doubt`` says why a person must look at them first."""

    address: str
    imap: Place
    smtp: Place
    username: str
    source: str
    provider: str = ""
    title: str = ""
    auth: Literal["password", "xoauth2"] = "password"
    oauth: str = ""
    password: str = ""
    notes: tuple[str, ...] = ()
    keep_sent: Literal["auto", "yes", "no"] = "auto"
    local: bool = False
    doubt: str = ""


@dataclass(frozen=True)
class Search:
    """What was found (None: nothing) and everything that was looked at, in plain words."""

    found: Found | None
    looked: tuple[str, ...]


class Names(Protocol):
    """Questions to DNS; an answer that does not come is an empty list."""

    async def exchangers(self, domain: str) -> list[str]: ...
    async def services(self, name: str) -> list[tuple[str, int]]: ...


Probe = Callable[[Place], Awaitable[bool]]
"""Whether a server answers there with TLS and a certificate valid for its name."""


class SystemNames:
    """DNS as this computer is set up, unless another resolver is given."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        """``resolver`` asks other name servers than this computer's."""
        self._resolver = resolver

    async def _ask(self, name: str, kind: str) -> Iterable[Any]:
        resolver = self._resolver or dns.asyncresolver.get_default_resolver()
        return await resolver.resolve(f"{name}.", kind, lifetime=WITHIN)

    async def exchangers(self, domain: str) -> list[str]:
        """The mail exchangers of a domain, the preferred one first."""
        with _no_answer():
            answer = await self._ask(domain, "MX")
            rows = sorted((row.preference, row.exchange.to_text(omit_final_dot=True)) for row in answer)
            return [host for _, host in rows if host not in _NOBODY]
        return []

    async def services(self, name: str) -> list[tuple[str, int]]:
        """Host and port of the servers of an SRV name, the preferred one first; a target of "." is none."""
        with _no_answer():
            answer = await self._ask(name, "SRV")
            rows = sorted(
                (row.priority, -row.weight, row.target.to_text(omit_final_dot=True), row.port) for row in answer
            )
            return [(host, port) for _, _, host, port in rows if host not in _NOBODY]
        return []


@contextlib.contextmanager
def _no_answer() -> Iterator[None]:
    """A name without such a record, or without an answer, is no fault: the next place is looked at."""
    with contextlib.suppress(dns.exception.DNSException, OSError, ValueError):
        yield


class Discovery:
    """Looks for the settings of an address."""

    def __init__(
        self,
        *,
        names: Names | None = None,
        resolver: Resolver = system_resolver,
        allow_private: bool = False,
        tls: ssl.SSLContext | None = None,
        https_port: int = 443,
        probe: Probe | None = None,
    ) -> None:
        """``allow_private`` opens this computer and the local network; ``https_port`` is not 443 in tests."""
        self._names = names or SystemNames()
        self._resolver, self._allow_private, self._tls = resolver, allow_private, tls
        self._port = https_port
        self._probe = probe or self._answers

    async def find(self, address: str, *, ask_public: bool = False) -> Search:
        """The first settings that are found (BadInput: not an address). ``ask_public`` is the operator's consent."""
        address, domain = checked_address(address)
        looked: list[str] = []
        if preset := presets.by_domain(domain):
            return Search(_from_preset(preset, address, f"what is known of {preset.title}"), ("the list of providers",))
        looked.append("the list of providers")
        exchangers = await self._names.exchangers(domain)
        looked.append(f"the mail exchangers of {domain} ({', '.join(exchangers[:2]) or 'none'})")
        if fit := presets.by_exchanger(exchangers):
            preset, host = fit
            source = f"what is known of {preset.title}, which receives the mail of {domain} ({host})"
            return Search(_from_preset(preset, address, source, host), tuple(looked))
        steps = [self._published, self._public] if ask_public else [self._published]
        for step in (*steps, self._services, self._guesses):
            if found := await step(address, domain, looked):
                return Search(found, tuple(looked))
        return Search(None, tuple(looked))

    async def _published(self, address: str, domain: str, looked: list[str]) -> Found | None:
        """The settings file that the domain itself publishes."""
        query = f"?emailaddress={quote(address)}"
        port = "" if self._port == 443 else f":{self._port}"
        places = (
            f"https://autoconfig.{domain}{port}/mail/config-v1.1.xml{query}",
            f"https://{domain}{port}/.well-known/autoconfig/mail/config-v1.1.xml{query}",
        )
        answers = await asyncio.gather(*(self._file(url, address, looked) for url in places))
        return next((found for found in answers if found), None)

    async def _public(self, address: str, domain: str, looked: list[str]) -> Found | None:
        """The public database; it learns the domain, not the address."""
        port = "" if self._port == 443 else f":{self._port}"
        return await self._file(f"https://{PUBLIC_DATABASE}{port}/v1.1/{domain}", address, looked)

    async def _file(self, url: str, address: str, looked: list[str]) -> Found | None:
        shown = url.partition("?")[0]
        try:
            data = await self._fetch(url)
            offer = autoconfig.read(data, address)
            for place in (offer.imap, offer.smtp):
                plain_host(place.host)
        except (NotSent, MaybeSent, ValueError) as error:
            looked.append(f"{shown}: {error}")
            return None
        looked.append(shown)
        return Found(
            address, offer.imap, offer.smtp, offer.username, f"the settings published at {shown}",
            title=offer.title, auth=offer.auth, notes=offer.notes,
        )  # fmt: skip

    async def _fetch(self, url: str) -> bytes:
        """A file over HTTPS; a redirect is followed to HTTPS only, each hop under the same rules (ValueError)."""
        for _ in range(_REDIRECTS + 1):
            if not url.startswith("https://"):
                raise ValueError("it leads to an address without TLS, which was not followed")
            egress = Egress.for_url(url, allow_private=self._allow_private, resolver=self._resolver, tls=self._tls)
            answer = await egress.send("GET", url, headers={"accept": "text/xml"}, body=None, timeout=WITHIN)
            if answer.status not in (301, 302, 303, 307, 308):
                break
            url = urljoin(url, answer.headers.get("location", ""))
        if answer.status != 200:
            raise ValueError(f"the server answered {answer.status}")
        return answer.body

    async def _services(self, address: str, domain: str, looked: list[str]) -> Found | None:
        """SRV records (RFC 6186, RFC 8314): TLS from the first byte before STARTTLS."""
        wanted = [("_imaps", "_imap"), ("_submissions", "_submission")]
        asked = [self._names.services(f"{service}._tcp.{domain}") for pair in wanted for service in pair]
        rows = await asyncio.gather(*asked)
        places = [
            place for at_once, later in zip(rows[::2], rows[1::2], strict=True) if (place := _best(at_once, later))
        ]
        looked.append(f"the SRV records of {domain}")
        if len(places) != 2:
            return None
        away = sorted({place.host for place in places if not f".{place.host}".endswith(f".{domain}")})
        doubt = ""
        if away:
            doubt = f"DNS sends {domain} to {' and '.join(away)}. DNS can be forged: go on only if you know this name."
        return Found(address, places[0], places[1], address, f"the SRV records of {domain}", doubt=doubt)

    async def _guesses(self, address: str, domain: str, looked: list[str]) -> Found | None:
        """Servers under the usual names that answer with a valid certificate."""
        incoming = [Place(f"{name}.{domain}", 993, "tls") for name in ("imap", "mail")]
        outgoing = [Place(f"{name}.{domain}", 465, "tls") for name in ("smtp", "mail")]
        outgoing += [replace(place, port=587, security="starttls") for place in outgoing]
        answers = await asyncio.gather(*(self._probe(place) for place in (*incoming, *outgoing)))
        looked.append(f"imap.{domain}, mail.{domain} and smtp.{domain} at the usual ports")
        good = [place for place, answer in zip((*incoming, *outgoing), answers, strict=True) if answer]
        imap = next((place for place in good if place in incoming), None)
        smtp = next((place for place in good if place in outgoing), None)
        if imap is None or smtp is None:
            return None
        source = f"servers that answer at {imap.host} and {smtp.host} with a valid certificate (a guess)"
        return Found(address, imap, smtp, address, source)

    async def _answers(self, place: Place) -> bool:
        """The probe over the network: only a TLS handshake, nothing is said about the mailbox."""
        try:
            egress = Egress(place.host, place.port, allow_private=self._allow_private, resolver=self._resolver)
            at = await egress.resolve(place.host, place.port)
            async with asyncio.timeout(WITHIN):
                return await _handshake(at, place, self._tls or ssl.create_default_context())
        except (NotSent, OSError, TimeoutError, ValueError, EOFError):
            return False


def _best(at_once: list[tuple[str, int]], later: list[tuple[str, int]]) -> Place | None:
    """The first server with TLS at once, else the first with STARTTLS."""
    if at_once:
        return Place(*at_once[0], "tls")
    return Place(*later[0], "starttls") if later else None


async def _handshake(at: str, place: Place, tls: ssl.SSLContext) -> bool:
    """Connect, begin TLS, close (OSError when the certificate or the server is not right)."""
    if place.security == "tls":
        _, writer = await asyncio.open_connection(at, place.port, ssl=tls, server_hostname=place.host)
    else:
        reader, writer = await asyncio.open_connection(at, place.port, limit=8192)
        for command in (b"", b"EHLO localhost\r\n", b"STARTTLS\r\n"):
            writer.write(command)
            while (line := await reader.readline())[3:4] == b"-":
                pass
            if not line.startswith(b"2"):
                writer.close()
                return False
        await writer.start_tls(tls, server_hostname=place.host)
    writer.close()
    return True


def checked_address(text: str) -> tuple[str, str]:
    """A mail address and its domain in ASCII; BadInput says what an address looks like."""
    address = text.strip()
    local, at, domain = address.rpartition("@")
    if not local or not at or len(address) > 254 or any(c.isspace() or ord(c) < 33 for c in address) or "@" in local:
        raise BadInput(
            f"{text.strip()[:100]!r} is not a mail address. One looks like mara@studio-linde.example.", field="address"
        )
    try:
        return address, plain_host(domain)
    except NotSent as error:
        raise BadInput(f"{domain[:100]!r} is not a domain name.", field="address") from error


def _from_preset(preset: Preset, address: str, source: str, exchanger: str = "") -> Found:
    """A preset made out for one address."""
    imap, smtp = (replace(place, host=place.host.replace("{mx}", exchanger)) for place in (preset.imap, preset.smtp))
    return Found(
        address=address,
        imap=imap,
        smtp=smtp,
        username=address if preset.username == "address" else address.rpartition("@")[0],
        source=source,
        provider=preset.oauth or preset.name,
        title=preset.title,
        auth=preset.auth,
        oauth=preset.oauth,
        password=preset.password,
        notes=(preset.switch,) if preset.switch else (),
        keep_sent="no" if preset.saves_sent else "auto",
        local=preset.local,
    )
