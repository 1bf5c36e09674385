"""Autoconfig: reads the settings that a domain publishes for mail programs; the text is a stranger's, so no DTD."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # the tree only: the parser is expat below, with declarations refused
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast
from xml.parsers import expat

from soloist.engine.presets import Place, Security

LARGEST = 256 * 1024
"""Bytes of a settings file that are read; real ones have under 10 KB."""
_SECURE = {"SSL": "tls", "STARTTLS": "starttls"}
_DEEPEST = 20


@dataclass(frozen=True)
class Published:
    """What a settings file offers: servers with TLS only, the user name, and how to sign in."""

    title: str
    imap: Place
    smtp: Place
    username: str
    auth: Literal["password", "xoauth2"]
    notes: tuple[str, ...] = ()


def read(data: bytes, address: str) -> Published:
    """The offer for an address; ValueError says in plain words why a file cannot be used."""
    if len(data) > LARGEST:
        raise ValueError(f"the file has {len(data)} bytes, more than {LARGEST}")
    provider = _tree(data).find("emailProvider")
    if provider is None:
        raise ValueError("the file names no provider")
    incoming = next(_offers(provider, "incomingServer", "imap", address), None)
    outgoing = next(_offers(provider, "outgoingServer", "smtp", address), None)
    if incoming is None or outgoing is None:
        raise ValueError("the file offers no IMAP and SMTP servers with TLS")
    notes: tuple[str, ...] = ()
    if outgoing.username and outgoing.username != incoming.username:
        notes = (f"For sending, the file names another user name: {outgoing.username}",)
    title = " ".join((provider.findtext("displayName") or "").split())[:80]
    username = incoming.username or address
    return Published(title, incoming.place, outgoing.place, username, incoming.auth, notes)


@dataclass(frozen=True)
class _Offer:
    place: Place
    username: str
    auth: Literal["password", "xoauth2"]


def _offers(provider: ET.Element, tag: str, kind: str, address: str) -> Iterator[_Offer]:
    """Servers of one kind, in the order of the file, as far as they use TLS."""
    local, _, domain = address.rpartition("@")
    swaps = {"%EMAILADDRESS%": address, "%EMAILLOCALPART%": local, "%EMAILDOMAIN%": domain}
    for server in provider.iter(tag):
        security = _SECURE.get((server.findtext("socketType") or "").strip().upper())
        port = (server.findtext("port") or "").strip()
        if server.get("type") != kind or security is None or not (port.isdigit() and 0 < int(port) < 65536):
            continue
        host, username = (server.findtext(key) or "" for key in ("hostname", "username"))
        for sign, value in swaps.items():
            host, username = host.replace(sign, value), username.replace(sign, value)
        ways = [(way.text or "").strip() for way in server.iter("authentication")]
        only_tokens = bool(ways) and all(way == "OAuth2" for way in ways)
        place = Place(host.strip(), int(port), cast(Security, security))
        yield _Offer(place, username.strip(), "xoauth2" if only_tokens else "password")


def _tree(data: bytes) -> ET.Element:
    """The document as a tree; ValueError for a document type, an entity, or text that is not XML."""
    builder, depth = ET.TreeBuilder(), 0

    def refuse(*_: object) -> None:
        raise ValueError("the file declares a document type or an entity, so it was not read")

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ValueError("the file is nested too deeply")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, AssertionError, LookupError) as error:
        raise ValueError(f"the file is not XML ({error})") from error
