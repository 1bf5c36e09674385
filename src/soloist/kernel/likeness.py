"""What is compared of a person or a company: fields read into one shape, and the keys that bring records together.

Pure, and without any judgement; which of two shapes are the same is decided by the records stage.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from soloist.kernel import identity, naming
from soloist.kernel.naming import fold

RULES = "keys-1"
"""Version of the keys; when it changes every record's keys are made again."""
ALIKE = frozenset({"person", "company"})
"""Kinds of records that stand for somebody outside and so can be there twice."""
TAX = frozenset(
    "vat_id vat tax_id tax_number ust_id ustid uid_number steuernummer siret siren nif cif rfc ssn soc_sec_id "
    "national_id register_number handelsregister".split()
)
"""Numbers that one person or company has one of in its life."""
DIGITS = 7
"""Last digits of a phone under which it is found, with or without its prefix."""
PERSONAL = frozenset("ssn soc_sec_id national_id nif tax_id".split())
"""Those that belong to one human being and never to the company they work for."""
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "given": ("given_name", "first_name", "firstname", "vorname", "prenom", "nombre"),
    "family": ("family_name", "last_name", "lastname", "surname", "nachname", "nom", "apellidos"),
    "name": ("name", "full_name", "display_name"),
    "born": ("birth_date", "date_of_birth", "birthday", "birthdate", "geburtsdatum", "dob"),
    "street": ("street", "address_1", "address", "strasse", "rue", "calle"),
    "number": ("street_number", "house_number", "hausnummer"),
    "postcode": ("postcode", "postal_code", "zip", "plz", "code_postal", "codigo_postal"),
    "city": ("city", "town", "suburb", "ort", "ville", "ciudad"),
    "region": ("region", "state", "county", "bundesland"),
    "company": ("company_name", "organisation", "organization", "firma", "employer", "entreprise", "empresa"),
    "language": ("language",),
}
_SLOTS = {name: (slot, place) for slot, names in _ALIASES.items() for place, name in enumerate(names)}
_EMAILS = ("emails", "email", "e_mail", "mail")
_PHONES = ("phones", "phone", "mobile", "telephone", "tel", "telefon", "mobil", "whatsapp")
_DOMAINS = ("domain", "website", "url", "web", "domains")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)|(\d{1,2})[./](\d{1,2})[./](\d{4})")
_DIGITS = re.compile(r"\D+")
_STREET = re.compile(r"(?:strasse|str|straat|street|st|avenue|ave|av|road|rd|rue?|calle|platz|weg|allee|lane|ln)\Z")
_PLACE = re.compile(r"[\s,](?:[A-Z]{1,2}-)?(\d{4,5})[ ,]+([^\d\n,]{2,40})")
"""Postcode and town within an address of one line or several."""
_HOUSE = re.compile(r"(?<![\w])(\d{1,5}\s?[a-z]?)\Z", re.IGNORECASE)
_HOST = re.compile(r"\A(?:https?://)?(?:www\.)?([^/\s?#:]+)", re.IGNORECASE)


NOBODY = naming.Name()


@dataclass(frozen=True, slots=True)
class Subject:
    """A person or company as it is compared; every field may be empty. ``said`` is how each was written.

    ``ids`` are numbers somebody has one of, by scheme; ``external`` ids that a source gave them.
    """

    kind: str
    name: naming.Name = NOBODY
    title: str = ""
    born: str = ""
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    ids: frozenset[tuple[str, str]] = frozenset()
    external: frozenset[tuple[str, str]] = frozenset()
    street: str = ""
    number: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    company: str = ""
    domains: frozenset[str] = frozenset()
    said: Mapping[str, str] = field(default_factory=dict)


def read(kind: str, fields: Mapping[str, Any]) -> Subject:
    """The comparable shape of a record's body or of an imported row; unknown fields are ignored."""
    given = _plain(fields)
    addresses = [identity.normal_address(one) for one in _all(fields, _EMAILS) if "@" in one]
    own = frozenset(one for one in addresses if not identity.is_role(one))
    street, number = _street(given["street"], given["number"])
    if not given["postcode"] and (place := _PLACE.search(given["street"][4:])):
        given |= {"postcode": place[1], "city": given["city"] or place[2]}
    hosts = {_host(one) for one in _all(fields, _DOMAINS)} | {identity.company_domain(one) for one in addresses}
    company = kind == "company"
    said = {key: value for key, value in given.items() if value}
    said["name"] = given["name"] or f"{given['given']} {given['family']}".strip()
    return Subject(
        kind=kind,
        name=NOBODY if company else _name(given),
        title=fold(naming.company(given["name"] or given["company"])) if company else "",
        born=born(given["born"]),
        emails=own,
        phones=frozenset(filter(None, map(phone, _all(fields, _PHONES)))),
        ids=frozenset(_ids(fields)),
        external=frozenset(_external(fields)),
        street=street,
        number=number,
        postcode=fold(given["postcode"]).replace(" ", ""),
        city=fold(given["city"]),
        region=fold(given["region"]),
        company=fold(naming.company(given["company"])),
        domains=frozenset(host for host in hosts if host and host not in identity.SHARED_DOMAINS),
        said=said,
    )


def _name(given: Mapping[str, str]) -> naming.Name:
    """A person's name from its parts, or from one line."""
    if given["given"] or given["family"]:
        return naming.parts(given["given"], given["family"])
    return naming.person(given["name"])


def _plain(fields: Mapping[str, Any]) -> dict[str, str]:
    """The fields that are one text, by their name here; of several names for one thing the first of the list wins."""
    found: dict[str, tuple[int, str]] = {}
    for name, value in fields.items():
        if name not in _SLOTS or not isinstance(value, str | int) or isinstance(value, bool):
            continue
        (slot, place), text = _SLOTS[name], str(value).strip()
        if text and (slot not in found or place < found[slot][0]):
            found[slot] = place, text[:300]
    return {slot: found[slot][1] if slot in found else "" for slot in _ALIASES}


def _all(fields: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """Every text in these fields, which may be lists."""
    found: list[str] = []
    for name in names:
        if value := fields.get(name):
            items = value if isinstance(value, list | tuple) else (value,)
            found += [text for item in items[:50] if isinstance(item, str | int) and (text := str(item).strip())]
    return found


def _ids(fields: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Tax and register numbers without blanks and signs, the country's letters kept."""
    more = fields.get("ids")
    every = {**more, **fields} if isinstance(more, dict) else fields
    for name in TAX & every.keys():
        value = every[name]
        if isinstance(value, str | int):
            number = re.sub(r"[^0-9A-Z]", "", str(value).upper())
            if len(number) >= 5:
                yield ("vat_id" if name in ("vat", "ust_id", "ustid") else str(name)), number


def _external(fields: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Ids that sources gave: {"external": {"hubspot": "812"}}."""
    found = fields.get("external")
    for source, value in (found if isinstance(found, dict) else {}).items():
        if value:
            yield str(source), str(value).strip()


def born(text: str) -> str:
    """A birth date as yyyymmdd, day before month where the year is last; "" when it is none."""
    if not text:
        return ""
    if found := _DATE.search(text):
        year, month, day = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
        return f"{year}{int(month):02}{int(day):02}"
    digits = _DIGITS.sub("", text)
    return digits if len(digits) == 8 else ""


def phone(text: str) -> str:
    """A number in its international form (+49…), or the national digits without the leading zero; "" when too short."""
    text = text.strip().replace("(0)", "")
    digits = _DIGITS.sub("", text)
    if text.startswith("+"):
        return f"+{digits}" if len(digits) >= 7 else ""
    if digits.startswith("00"):
        return f"+{digits[2:]}" if len(digits) >= 9 else ""
    digits = digits.lstrip("0")
    return digits if len(digits) >= 6 else ""


def same_phone(a: str, b: str) -> bool:
    """Whether two numbers are one; a national number fits the international one that ends with it."""
    if a == b:
        return True
    if a.startswith("+") and b.startswith("+"):
        return False
    short, long = sorted((a.lstrip("+"), b.lstrip("+")), key=len)
    return len(short) >= 7 and long.endswith(short) and len(long) - len(short) <= 3


def _street(street: str, number: str) -> tuple[str, str]:
    """Street without its kind, and house number, which may stand at either end of the street."""
    if not street:
        return "", fold(number).replace(" ", "")
    text = street.split("\n")[0].split(",")[0].strip()
    if not number and (found := _HOUSE.search(text)):
        number, text = found[1], text[: found.start()]
    elif not number and (head := re.match(r"(\d{1,5}[a-z]?)[, ]+", text, re.IGNORECASE)):
        number, text = head[1], text[head.end() :]
    words = [_STREET.sub("", word) for word in fold(text).split()]
    return " ".join(filter(None, words)), fold(number).replace(" ", "")


def _host(text: str) -> str:
    """The domain of a web address or domain."""
    found = _HOST.match(text)
    host = found[1].casefold().rstrip(".") if found else ""
    return host if "." in host and "@" not in host else ""


def keys(subject: Subject) -> list[str]:
    """What brings two records together to be compared: exact identifiers, then pieces of names, dates and addresses.

    Each begins with the kind; none of them says that two records are the same.
    """
    found = [f"e:{one}" for one in sorted(subject.emails)]
    found += [f"t:{one[-DIGITS:]}" for one in sorted(subject.phones)]
    found += [f"i:{scheme}:{value}" for scheme, value in sorted(subject.ids)]
    found += [f"x:{source}:{value}" for source, value in sorted(subject.external)]
    if subject.born:
        found.append(f"b:{subject.born}")
    if subject.postcode and subject.street:
        found.append(f"a:{subject.postcode}:{subject.street[:5]}:{subject.number}")
    found += _company_keys(subject) if subject.kind == "company" else _person_keys(subject)
    return [f"{subject.kind}:{key}" for key in dict.fromkeys(found)]


def _person_keys(subject: Subject) -> Iterable[str]:
    """Names in either order; the family with the first letter; the family with the place."""
    given, family = "".join(subject.name.given), "".join(subject.name.family)
    if given and family:
        yield "n:" + ":".join(sorted((given[:3], family[:4])))
        yield "n:" + ":".join(sorted((given[:4], family[:3])))
        yield f"m:{given[:1]}:{family[:6]}"
        yield f"m:{family[:1]}:{given[:6]}"
    elif given or family:
        yield f"s:{given or family}"
    for part in (family, given):
        if part and subject.postcode:
            yield f"f:{part[:3]}:{subject.postcode[:3]}"
        if part and subject.born:
            yield f"y:{subject.born[:4]}:{part[:4]}"


def _company_keys(subject: Subject) -> Iterable[str]:
    """The domain, the words of the name alone and in pairs."""
    yield from (f"d:{host}" for host in sorted(subject.domains))
    words = sorted(word for word in subject.title.split() if len(word) > 2)[:6]
    yield from (f"c:{word[:7]}" for word in words)
    yield from (f"p:{one[:5]}:{other[:5]}" for one, other in pairwise(words))
    if subject.postcode:
        yield from (f"f:{word[:4]}:{subject.postcode[:3]}" for word in words[:3])
