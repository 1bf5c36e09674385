"""Records as tables and one record with its history: who changed what, when and why; nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from soloist.engine.store import conversations, reading, records
from soloist.engine.store.reading import Connection
from soloist.insight import diff, sheets, views

PAGE = 50
COLUMNS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "person": (("Email", "emails"), ("Company", "company_name")),
    "company": (("Domain", "domain"),),
    "lead": (("State", "state"), ("Language", "language")),
}
"""Columns beside the title for the kinds that are shipped; other kinds show their first text fields."""

LABELS = {"emails": "Addresses", "phones": "Phones", "company_name": "Company name"}
_HIDDEN = {"origin", "message", "conversation"}


def page(conn: Connection, *, kind: str = "", query: str = "", after: str = "") -> views.RecordsPage:
    """One page of one kind; ``after`` is what the last page's link carried."""
    kinds = records.kinds(conn)
    kind = kind or ("person" if "person" in kinds else kinds[0] if kinds else "person")
    updated, _, ident = after.partition("~")
    before = (updated, ident) if ident else None
    rows = reading.records_like(conn, kind, query[:200], before=before, limit=PAGE + 1)
    shown, columns = rows[:PAGE], COLUMNS.get(kind, ())
    last = shown[-1] if len(rows) > PAGE else None
    more = {"q": query, "after": f"{last['updated']}~{last['id']}"} if last else {}
    return views.RecordsPage(
        kind=kind,
        tabs=tuple(views.Tab(plural(name), f"/records/{name}", name == kind) for name in kinds or [kind]),
        columns=("Name", *(label for label, _ in columns)),
        rows=tuple(_line(row, columns) for row in shown),
        query=query,
        next=f"/records/{kind}?" + urlencode({k: v for k, v in more.items() if v}) if more else "",
    )


def plural(kind: str) -> str:
    """The kind as the name of a list."""
    known = {"person": "People", "company": "Companies"}
    return known.get(kind, kind.replace("_", " ").capitalize() + "s")


def _line(row: Mapping[str, Any], columns: Sequence[tuple[str, str]]) -> views.TableRow:
    values = {**row["body"], "state": row["state"]}
    cells = (row["title"], *(sheets.plain(values.get(key)).replace("_", " ") for _, key in columns))
    return views.TableRow(f"/records/{row['kind']}/{row['id']}", cells, row["updated"])


def record(conn: Connection, kind: str, ident: str) -> views.RecordPage:
    """One record (NotFound); the kind "-" stands for any."""
    row = records.get(conn, ident, "" if kind == "-" else kind)
    history = records.history(conn, ident)
    linked = _linked(conn, row["body"])
    return views.RecordPage(
        kind=row["kind"],
        id=ident,
        title=row["title"],
        version=row["version"],
        fields=tuple(_fields(row, history, linked)),
        versions=tuple(_versions(history, linked)),
        identities=tuple(_identities(conn, ident)),
        related=tuple(_related(conn, row)),
        note=_note(row, history),
    )


def _linked(conn: Connection, body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Records that fields point at."""
    return reading.named(conn, "records", [v for v in body.values() if isinstance(v, str) and len(v) == 36])


def _fields(
    row: Mapping[str, Any], history: Sequence[Mapping[str, Any]], linked: Mapping[str, Mapping[str, Any]]
) -> list[views.FieldLine]:
    """Each field with the version that last set it, once there are several."""
    found = []
    confirmed = any(version["actor"] == "operator" for version in history)
    for name, value in sorted(row["body"].items()):
        if name in _HIDDEN or value in (None, "", [], {}):
            continue
        other = linked.get(value) if isinstance(value, str) else None
        setter = _setter(name, value, history)
        found.append(
            views.FieldLine(
                label=_label(name),
                value=_say(value, linked),
                source=f"version {setter['version']}" if setter and len(history) > 1 else "",
                unverified=confirmed and _outside(row) and setter is not None and setter["actor"] != "operator",
                href=f"/records/{other['kind']}/{other['id']}" if other else "",
            )
        )
    return found


def _label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").capitalize())


def _say(value: Any, linked: Mapping[str, Mapping[str, Any]]) -> str:
    """A value in words; the id of a record by its title."""
    other = linked.get(value) if isinstance(value, str) else None
    return str(other["title"]) if other else sheets.plain(value)


def _outside(row: Mapping[str, Any]) -> bool:
    return bool(row["body"].get("origin") == "outside")


def _setter(name: str, value: Any, history: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The version that gave a field its present value; ``history`` is newest first."""
    found = None
    for version in history:
        if version["body"].get(name) != value:
            break
        found = version
    return found


def _note(row: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> str:
    """Says when nobody has confirmed what came from outside."""
    if not _outside(row) or any(version["actor"] == "operator" for version in history):
        return ""
    return "All of this comes from messages; nobody has confirmed it yet."


def _versions(history: Sequence[Mapping[str, Any]], linked: Mapping[str, Mapping[str, Any]]) -> list[views.Version]:
    """Every version with what it changed against the one before."""
    found = []
    for place, version in enumerate(history):
        old = history[place + 1]["body"] if place + 1 < len(history) else {}
        names = sorted(n for n in {**old, **version["body"]} if old.get(n) != version["body"].get(n))
        shown = [n for n in names if n not in _HIDDEN and (version["body"].get(n) or old.get(n))]
        found.append(
            views.Version(
                number=version["version"],
                at=version["at"],
                who=f"{_actor(version['actor'])}: {version['reason']}",
                changes=tuple(
                    diff.field(_label(n), _say(old.get(n), linked), _say(version["body"].get(n), linked)) for n in shown
                ),
                href=f"/runs/{version['run']}" if version["run"] else "",
            )
        )
    return found


def _actor(actor: str) -> str:
    return {"operator": "you", "soloist": "Soloist"}.get(actor, actor)


def _identities(conn: Connection, ident: str) -> list[views.FieldLine]:
    """What this record is known by, and the rule that said so."""
    rows = records.identities_of(conn, ident)
    return [views.FieldLine(r["scheme"].capitalize(), r["value"], f"rule: {r['rule']}") for r in rows]


def _related(conn: Connection, row: Mapping[str, Any]) -> list[views.Link]:
    """Conversations of a record, by the newest message of each."""
    found = []
    for conversation in conversations.of_record(conn, row["id"], 20):
        subject = conversation["subject"] or "no subject"
        found.append(views.Link(f"Conversation: {subject}", f"/why/{conversation['head']}"))
    if row["body"].get("message"):
        found.append(views.Link("The message it came from", f"/why/{row['body']['message']}"))
    return found
