"""Records as tables and one record with its history: who changed what, when and why; nothing is written here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from soloist.engine.store import conversations, kinds, reading, records, relations, tabling
from soloist.engine.store.reading import Connection
from soloist.engine.store.tabling import Asked
from soloist.insight import diff, sheets, views, words

PAGE = 50
COLUMNS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "person": (("Email", "emails"), ("Company", "company_name"), ("Phone", "phones")),
    "company": (("Domain", "domain"),),
    "lead": (("State", "state"), ("Language", "language")),
    "project": (("State", "state"), ("Begins", "begins"), ("Due", "due")),
    "offer": (("State", "state"), ("Amount", "amount"), ("Valid until", "valid_until")),
    "invoice": (("State", "state"), ("Amount", "amount"), ("Due", "due")),
    "payment": (("State", "state"), ("Amount", "amount"), ("On", "on")),
    "appointment": (("State", "state"), ("Begins", "begins"), ("Place", "place")),
    "conversation": (("State", "state"), ("Channel", "channel"), ("At", "at")),
    "idea": (("State", "state"), ("Tags", "tags")),
    "draft": (("State", "state"), ("Channel", "channel")),
    "publication": (("State", "state"), ("Channel", "channel"), ("Published on", "published_on")),
    "document": (("State", "state"), ("Type", "mime")),
    "meeting": (("State", "state"), ("At", "at")),
    "goal": (("State", "state"), ("So far", "current"), ("Target", "target"), ("Due", "due")),
    "runway": (("Months", "months"), ("Without open invoices", "months_sure")),
    "capacity": (("Hours free", "free_hours"), ("Hours taken", "booked_hours")),
}
"""Columns beside the title for the kinds that are shipped; kinds of the operator's own show their state."""

OWN = (("State", "state"),)

CLIENTS = frozenset({"person", "company"})
"""Kinds of records that have a page of everything that concerns them."""
DOWN = frozenset({"updated", "created"})
"""Columns that begin with the highest value."""
BOM = "\ufeff"
"""Without it a common spreadsheet takes UTF-8 for its old code page."""
CSV_ROWS = 500
MOST_VERSIONS = 200
"""Versions on the page of a record, the newest."""
_CALCULATES = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
MORE = 4
"""Fields of the operator's own that are shown as columns."""
LABELS = {"emails": "Addresses", "phones": "Phones", "company_name": "Company name"}
_HIDDEN = {"origin", "message", "conversation", "external", "conflicts", "base"}


def page(
    conn: Connection,
    *,
    kind: str = "",
    query: str = "",
    after: str = "",
    state: str = "",
    sort: str = "",
    direction: str = "",
) -> views.RecordsPage:
    """One page of one kind; ``after`` is what the last page's link carried, an unknown ``sort`` is "updated"."""
    there = records.kinds(conn)
    kind = (kind or _first(there)).replace("\x00", "")  # Postgres takes no NUL
    columns = columns_of(conn, kind)
    asked = _asked(kind, query, state, sort, direction, columns=columns)
    ident, _, value = after.replace("\x00", "").partition("~")
    rows = tabling.rows(conn, asked, after=(value, ident) if ident else None, limit=PAGE + 1)
    shown, counts = rows[:PAGE], tabling.states(conn, asked)
    last = shown[-1] if len(rows) > PAGE else None
    return views.RecordsPage(
        kind=asked.kind,
        tabs=tuple(views.Tab(plural(name), f"/records/{name}", name == asked.kind) for name in there or [asked.kind]),
        columns=("Name", *(label for label, _ in columns)),
        rows=tuple(_line(row, columns) for row in shown),
        query=query,
        next=_link(asked, after=f"{last['id']}~{last['key']}") if last else "",
        heads=tuple(_heads(asked, columns)),
        states=tuple(name for name in counts if name),
        state=state,
        sort="" if asked.sort == "updated" else asked.sort,
        direction="" if asked.down == (asked.sort in DOWN) else direction,
        totals="; ".join((_totals(asked, counts), *_sums(conn, asked, columns))),
        csv=_link(asked, path=f"/records/{asked.kind}.csv"),
    )


def _first(kinds: Sequence[str]) -> str:
    return "person" if "person" in kinds or not kinds else kinds[0]


Columns = Sequence[tuple[str, str]]


def columns_of(conn: Connection, kind: str) -> Columns:
    """(head, field) of the columns beside the title: those of a shipped kind, then the first of the operator's own."""
    schema, shipped = kinds.find(conn, kind), COLUMNS.get(kind, OWN)
    if schema is None:
        return shipped
    named = {*re.findall(r"\{(\w+)\}", " ".join(schema.title)), *(key for _, key in shipped)}
    own = [one for one in schema.fields.values() if (one.custom or schema.custom) and one.name not in named]
    fit = [one for one in own if not one.internal and one.type != "long_text" and one.item not in _APART]
    return (*shipped, *((one.said, one.name) for one in fit[:MORE]))


_APART = frozenset({"record", "asset", "data"})


def _asked(kind: str, query: str, state: str, sort: str, direction: str, *, columns: Columns) -> Asked:
    """The table that is asked for; instants begin with the newest, words with A."""
    fields = tuple(key for _, key in columns)
    sort = sort if sort in ("title", "updated", *fields) else "updated"
    down = direction == "down" if direction in ("up", "down") else sort in DOWN
    kind, query, state = (text.replace("\x00", "") for text in (kind, query, state))  # Postgres takes no NUL
    return Asked(kind, query, state, sort, down, fields)


def _link(asked: Asked, *, path: str = "", **more: str) -> str:
    """The address of a table, without what goes without saying."""
    said = {"q": asked.text, "state": asked.state}
    said |= {"sort": asked.sort} if asked.sort != "updated" else {}
    said |= {"dir": "down" if asked.down else "up"} if asked.down != (asked.sort in DOWN) else {}
    shown = urlencode({key: value for key, value in {**said, **more}.items() if value})
    return (path or f"/records/{asked.kind}") + (f"?{shown}" if shown else "")


def _heads(asked: Asked, columns: Columns) -> Iterator[views.Head]:
    """The heads of the columns; a second click on one turns the order."""
    for label, key in (("Name", "title"), *columns, ("Changed", "updated")):
        here = asked.sort == key
        link = _link(replace(asked, sort=key, down=not asked.down if here else key in DOWN))
        yield views.Head(label, link, ("descending" if asked.down else "ascending") if here else "", key)


def _totals(asked: Asked, counts: Mapping[str, int]) -> str:
    """How many there are, and how many in each state when there are several."""
    number = counts.get(asked.state, 0) if asked.state else sum(counts.values())
    one = asked.kind.replace("_", " ")
    total = words.counted(number, one, plural(asked.kind).lower())
    parts = [f"{count} {state.replace('_', ' ')}" for state, count in counts.items() if state and not asked.state]
    return f"{total}: {', '.join(parts)}" if parts else total


def _sums(conn: Connection, asked: Asked, columns: Columns) -> Iterator[str]:
    """The sum of every column of amounts, each currency by itself."""
    schema = next((kind for kind in kinds.everything(conn) if kind.name == asked.kind), None)
    for label, key in columns:
        if schema and key in schema.fields and schema.fields[key].item == "money":
            found = tabling.sums(conn, asked, key).items()
            told = " and ".join(words.money(minor, code) for code, minor in found)
            if told:
                yield f"{label} {told}"


def csv_pieces(
    conn: Connection,
    kind: str,
    *,
    query: str = "",
    state: str = "",
    sort: str = "",
    direction: str = "",
    separator: str = ",",
) -> Iterator[str]:
    """The whole filtered table as CSV (RFC 4180) in pieces, in the order of the page; instants are UTC, ISO 8601.

    A cell that a spreadsheet would calculate (it begins with = + - @, a tab or a line end) gets a leading apostrophe.
    """
    columns = columns_of(conn, kind)
    asked = _asked(kind, query, state, sort, direction, columns=columns)
    yield BOM + csv_line(("Name", *(label for label, _ in columns), "Changed"), separator)
    after: tuple[str, str] | None = None
    while rows := tabling.rows(conn, asked, after=after, limit=CSV_ROWS):
        lines = (_line(row, columns) for row in rows)
        yield "".join(csv_line((*line.cells, line.at), separator) for line in lines)
        after = (rows[-1]["key"], rows[-1]["id"])


def csv_line(cells: Sequence[str], separator: str = ",") -> str:
    """One line with its CRLF."""
    out = io.StringIO()
    safe = ["'" + cell if _CALCULATES.match(cell) else cell for cell in cells]
    csv.writer(out, delimiter=separator, lineterminator="\r\n").writerow(safe)
    return out.getvalue()


def plural(kind: str) -> str:
    """The kind as the name of a list."""
    known = {"person": "People", "company": "Companies"}
    return known.get(kind, kind.replace("_", " ").capitalize() + "s")


def href(kind: str, ident: str) -> str:
    """The page that is about a record first of all."""
    return f"/clients/{ident}" if kind in CLIENTS else f"/records/{kind}/{ident}"


def _line(row: Mapping[str, Any], columns: Sequence[tuple[str, str]]) -> views.TableRow:
    values = {**row["body"], "state": row["state"]}
    cells = (row["title"], *(_say(values.get(key), {}).replace("_", " ") for _, key in columns))
    return views.TableRow(href(row["kind"], row["id"]), cells, row["updated"])


def record(conn: Connection, kind: str, ident: str) -> views.RecordPage:
    """One record (NotFound); the kind "-" stands for any."""
    row = records.get(conn, ident, "" if kind == "-" else kind)
    history = records.history(conn, ident, limit=MOST_VERSIONS + 1)
    linked = _linked(conn, row["body"])
    return views.RecordPage(
        kind=row["kind"],
        id=ident,
        title=row["title"],
        version=row["version"],
        fields=tuple(_fields(row, history, linked)),
        versions=tuple(_versions(history, linked))[:MOST_VERSIONS],
        identities=tuple(_identities(conn, ident)),
        related=tuple(_related(conn, row)),
        note=_note(row, history),
        client=f"/clients/{ident}" if row["kind"] in CLIENTS else "",
    )


def _linked(conn: Connection, body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Records that fields point at."""
    values = [one for value in body.values() for one in (value if isinstance(value, list) else [value])]
    return reading.named(conn, "records", [v for v in values if isinstance(v, str) and len(v) == 36])


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
    if isinstance(value, list):
        return sheets.plain([_say(one, linked) if isinstance(one, str | dict) else one for one in value])
    if isinstance(value, dict) and set(value) == {"minor", "currency"}:
        return words.money(value["minor"], value["currency"])
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
    """Conversations of a record by the newest message of each, and the records that point at it."""
    found = []
    for conversation in conversations.of_record(conn, row["id"], 20):
        subject = conversation["subject"] or "no subject"
        found.append(views.Link(f"Conversation: {subject}", f"/why/{conversation['head']}"))
    for other in relations.about(conn, row["id"])[:50]:
        told = f"{other['kind'].replace('_', ' ').capitalize()}: {other['title']}"
        found.append(
            views.Link(told + (f", {other['state']}" if other["state"] else ""), href(other["kind"], other["id"]))
        )
    if row["body"].get("message"):
        found.append(views.Link("The message it came from", f"/why/{row['body']['message']}"))
    return found
