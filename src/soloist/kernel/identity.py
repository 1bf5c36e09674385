"""Exact keys of people and companies: normalised addresses and domains, and which of them identify nobody."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass

ROLES = frozenset(
    "info office mail post kontakt contact contacto hello hallo hola bonjour team support help hilfe service services "
    "billing invoice invoices rechnung rechnungen buchhaltung accounting accounts facturas facturation comptabilite "
    "sales vertrieb ventas ventes admin administrator webmaster hostmaster postmaster abuse noreply no-reply "
    "donotreply jobs careers bewerbung hr press presse marketing newsletter news orders order bestellung shop "
    "reception empfang sekretariat secretariat bookings booking reservas reservations studio privacy "
    "datenschutz".split()
)
"""Local parts that belong to a function of a company and never to a person."""

SHARED_DOMAINS = frozenset(
    "gmail.com googlemail.com outlook.com hotmail.com hotmail.de hotmail.fr hotmail.es live.com live.de msn.com "
    "yahoo.com yahoo.de yahoo.fr yahoo.es ymail.com icloud.com me.com mac.com aol.com gmx.de gmx.net gmx.com gmx.at "
    "gmx.ch web.de freenet.de t-online.de arcor.de posteo.de mailbox.org proton.me protonmail.com pm.me tutanota.com "
    "orange.fr wanadoo.fr free.fr laposte.net sfr.fr bbox.fr telefonica.net terra.es bluewin.ch sunrise.ch aon.at "
    "fastmail.com hey.com zoho.com mail.com localhost".split()
)
"""Domains whose mailboxes belong to anybody; they identify no company."""

_DOTLESS = frozenset({"gmail.com", "googlemail.com"})
_TAG = re.compile(r"\+.*\Z")


@dataclass(frozen=True)
class Key:
    """An exact identifier: scheme ("email", "phone", "domain" or "source:<name>") and normalised value."""

    scheme: str
    value: str


def split(address: str) -> tuple[str, str]:
    """Local part and domain in lower case, the domain in its ASCII form where it has one."""
    local, _, domain = address.strip().casefold().rpartition("@")
    if not domain.isascii():
        with contextlib.suppress(UnicodeError):  # an odd domain still compares equal to itself
            domain = domain.encode("idna").decode("ascii")
    return local.strip('"'), domain.rstrip(".")


def normal_address(address: str) -> str:
    """The address of the same mailbox: case and plus-tag gone, dots gone where the provider ignores them."""
    local, domain = split(address)
    local = _TAG.sub("", local) or local
    if domain in _DOTLESS:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def is_role(address: str) -> bool:
    """Whether the address belongs to a function (info@, billing@) and so identifies no person."""
    local, _ = split(address)
    return _TAG.sub("", local).strip(".-_0123456789") in ROLES


def company_domain(address: str) -> str:
    """The domain that stands for the sender's company, "" for mailboxes anybody can have."""
    _, domain = split(address)
    return "" if domain in SHARED_DOMAINS or "." not in domain else domain


def keys(address: str, phones: list[str], source: str = "", external: str = "") -> list[Key]:
    """The keys that identify a person, strongest first; a role address gives none of its own."""
    found = [Key(f"source:{source}", external)] if external else []
    if not is_role(address):
        found.append(Key("email", normal_address(address)))
    return found + [Key("phone", phone) for phone in phones]
