"""One row of an import: whom it means, what it would change, and that being done; it never writes over the operator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.engine.store import imports, records
from soloist.engine.store.reading import Connection
from soloist.engine.store.tx import Tx
from soloist.kernel import identity
from soloist.kernel.identity import Key
from soloist.kernel.kind import EMPTY, Kind
from soloist.stages.records import merging, owners

OUTSIDE = "outside"
SOURCE = "source:import"
PEOPLE = ("person", "company")


@dataclass(frozen=True)
class Meant:
    """The record a row is about ("" for none), by which rule; ``doubt`` says why a person has to look."""

    record: str = ""
    rule: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Change:
    """What a row does to a record: ``fills`` what is empty, ``differs`` in what is there, ``keeps`` the operator's."""

    fills: dict[str, Any] = field(default_factory=dict)
    differs: dict[str, dict[str, Any]] = field(default_factory=dict)
    keeps: dict[str, dict[str, Any]] = field(default_factory=dict)


def keys(kind: Kind, read: Mapping[str, Any], source: str) -> list[Key]:
    """What identifies the row's record for certain, the strongest first."""
    body, found = read["body"], list[Key]()
    if read["external"]:
        found.append(Key(SOURCE, f"{source or kind.name}:{kind.name}:{read['external']}"))
    if kind.name == "person":
        mails = [one for one in body.get("emails", []) if not identity.is_role(one)]
        found += [Key("email", identity.normal_address(one)) for one in mails]
    elif kind.name == "company":
        found += [Key("domain", one) for one in _domains(body)]
    elif body.get("number") or body.get("reference"):
        found.append(Key(f"{SOURCE}:number", f"{kind.name}:{body.get('number') or body.get('reference')}"))
    return list(dict.fromkeys(found))


def _domains(body: Mapping[str, Any]) -> list[str]:
    """Domains that are the company's own."""
    site = str(body.get("website", "")).partition("://")[2].split("/")[0].casefold().removeprefix("www.")
    given = [str(body.get("domain", "")).casefold(), site]
    mails = [identity.company_domain(str(one)) for one in body.get("emails", [])]
    return list(dict.fromkeys(one for one in (*given, *mails) if one and one not in identity.SHARED_DOMAINS))


class Names:
    """Records by their titles and by what identifies them, looked up for many rows at once; links that are made."""

    def __init__(self, conn: Connection) -> None:
        """For one transaction."""
        self._conn = conn
        self._held: dict[Key, tuple[str, str]] = {}
        self._asked = set[Key]()
        self._links: list[dict[str, Any]] = []
        self._known: dict[tuple[str, str], list[str]] = {}
        self._waiting: dict[str, list[str]] = {}

    def load(self, kind: str, titles: Sequence[str]) -> None:
        """Look up the titles that are not known yet."""
        new = {one.casefold() for one in titles if one and (kind, one.casefold()) not in self._known}
        if new:
            found = imports.named(self._conn, kind, sorted(new))
            self._known |= {(kind, one): found.get(one, []) for one in new}

    def load_keys(self, keys: Iterable[Key]) -> None:
        """Look up the identifiers that are not known yet."""
        if new := set(keys) - self._asked:
            self._asked |= new
            found = imports.identified(self._conn, [(key.scheme, key.value) for key in new])
            self._held |= {Key(*key): record for key, record in found.items()}

    def holder(self, key: Key) -> tuple[str, str]:
        """The record that an identifier stands for and its kind, ("", "") for nobody."""
        self.load_keys([key])
        return self._held.get(key, ("", ""))

    def link(self, tx: Tx, key: Key, record: str, kind: str, evidence: Mapping[str, Any]) -> None:
        """Link an identifier to a record, unless it is somebody's already; written by ``settle_links``."""
        if not self.holder(key)[0]:
            event = tx.append("identity.linked", subject=record, payload={"scheme": key.scheme, "rule": "import"})
            row = {"scheme": key.scheme, "value": key.value, "record": record, "event": event.id}
            self._links.append({**row, "evidence": dict(evidence)})
            self._held[key] = (record, kind)

    def settle_links(self, tx: Tx) -> None:
        """Write the links that were made."""
        imports.link_many(tx, self._links)
        self._links.clear()

    def note(self, kind: str, titles: Sequence[str]) -> None:
        """Titles to be looked up together."""
        self._waiting.setdefault(kind, []).extend(titles)

    def settle(self) -> None:
        """Look up what was noted."""
        for kind, titles in self._waiting.items():
            self.load(kind, titles)
        self._waiting.clear()

    def get(self, kind: str, title: str) -> list[str]:
        """Ids of the records of a kind with a title."""
        self.load(kind, [title])
        return self._known.get((kind, title.casefold()), [])


def meant(
    conn: Connection, kind: Kind, read: Mapping[str, Any], source: str, names: Names, *, loose: bool = True
) -> Meant:
    """The record a row is about; people are never taken for one by their name alone, that is a doubt.

    Only what identifies for certain is looked at unless it may be ``loose``.
    """
    hits: dict[str, str] = {}
    for key in keys(kind, read, source):
        found, of = names.holder(key)
        if found and of == kind.name:
            hits.setdefault(found, key.scheme)
    if len(hits) > 1:
        return Meant(next(iter(hits)), "several", "It fits several records; choose.")
    if hits:
        record, rule = next(iter(hits.items()))
        return Meant(record, rule)
    if not loose:
        return Meant()
    if kind.name in PEOPLE:
        return _alike(conn, kind, read["body"])
    same = names.get(kind.name, read["title"])
    twin = next((one for one in same if _same_body(conn, one, read["body"])), "")
    return Meant(twin, "content") if twin else Meant()


def _alike(conn: Connection, kind: Kind, body: Mapping[str, Any]) -> Meant:
    """Who a description is of when no key says so; anything but certainty is a doubt."""
    found = merging.resolve(conn, kind.name, body)
    if found.zone == "new" or not found.record:
        return Meant()
    told = ", ".join(f"{one.field} {one.verdict}" for one in found.evidence if one.verdict != "differs")
    why = "; ".join((f"It may be a record that is there: {told}", *found.vetoes))
    return Meant(found.record, "alike", "" if found.zone == "merge" else f"{why}.")


def _same_body(conn: Connection, record: str, body: Mapping[str, Any]) -> bool:
    """Whether a record says all that a row says."""
    now = records.get(conn, record)["body"]
    return all(now.get(name) == value for name, value in body.items())


def said_already(conn: Connection, kind: Kind, read: Mapping[str, Any], names: Names) -> str:
    """A record of the same title that says all that a row says, "" when there is none."""
    for one in names.get(kind.name, read["title"]):
        now = records.get(conn, one)["body"]
        if all(_holds(now.get(name), value) for name, value in read["body"].items()):
            return one
    return ""


def _holds(now: Any, value: Any) -> bool:
    return bool(now == value or (isinstance(now, list) and isinstance(value, list) and all(x in now for x in value)))


def change(row: Mapping[str, Any], kind: Kind, body: Mapping[str, Any]) -> Change:
    """What a body would do to a record."""
    found = owners.split(row["body"], row.get("owners") or {}, body, OUTSIDE, kind)
    now = row["body"]
    fills, differs = dict[str, Any](), dict[str, dict[str, Any]]()
    for name, value in found.written.items():
        if now.get(name) in EMPTY or isinstance(value, list):
            fills[name] = value
        else:
            differs[name] = {"mine": now.get(name), "offered": value}
    return Change(fills, differs, dict(found.kept))


def wanted(kind: Kind, read: Any) -> dict[str, list[str]]:
    """The references of a row by their text; a person's company is looked for by its name."""
    by_name = read.body.get("company_name")
    if by_name and "company" in kind.fields and "company" not in read.names:
        return {**read.names, "company": [by_name]}
    return dict(read.names)


def ahead(kind: Kind, reads: Sequence[Any], names: Names, source: str) -> None:
    """Look up every title, identifier and reference of some rows in a few queries."""
    given = [{"body": read.body, "external": read.external} for read in reads]
    names.load_keys(key for one in given for key in keys(kind, one, source))
    names.load(kind.name, [kind.titled(read.body) for read in reads])
    for read in reads:
        for name, texts in wanted(kind, read).items():
            for to in kind.fields[name].to:
                names.note(to, texts)
    names.settle()


def referred(conn: Connection, kind: Kind, read: Any, names: Names) -> tuple[dict[str, Any], list[str]]:
    """References by the text of a cell: (field -> id or ids, what is not known)."""
    found, unknown = dict[str, Any](), list[str]()
    for name, texts in wanted(kind, read).items():
        known = kind.fields[name]
        ids = []
        for text in texts:
            ident = _named(conn, known.to, text, names)
            ids += [ident] if ident and ident not in ids else []
            unknown += [] if ident else [f"{known.said}: {text[:80]!r} is not known here; left out."]
        if ids:
            found[name] = ids if known.type == "list" else ids[0]
    if "company_name" in kind.fields and "company" not in found:
        told = (read.names.get("company") or [""])[0]
        found |= {"company_name": told} if told and "company_name" not in read.body else {}
        unknown = [one for one in unknown if not one.startswith("Company:")]
    return found, unknown


def _named(conn: Connection, kinds: Sequence[str], text: str, names: Names) -> str:
    """The record of one of these kinds that a text means: by its address, or the only one of that name."""
    if "@" in text:
        return records.identified(conn, "email", identity.normal_address(text)) or ""
    for kind in kinds:
        found = names.get(kind, text)
        if len(found) == 1:
            return found[0]
    return ""


def link(
    tx: Tx, kind: Kind, read: Mapping[str, Any], record: str, names: Names, *, source: str, about: Mapping[str, Any]
) -> None:
    """Link what identifies the row to its record; a key that is somebody's already stays theirs."""
    for key in keys(kind, read, source):
        names.link(tx, key, record, kind.name, about)


def missing(kind: Kind, body: Mapping[str, Any]) -> list[str]:
    """What every record of the kind needs and the row does not say, in words."""
    lacking = [known.said for known in kind.fields.values() if known.required and body.get(known.name) in EMPTY]
    return [f"{name} is missing." for name in lacking]
