"""Full-text search over messages, records, cards, memory and facts: what is indexed, how far, and what is found.

Words are made here and not by the database, so that both stores find the same: letters and digits, without case and
accents, ideographs one by one. The index keeps no text. It follows the journal by its own mark and never holds a
writer up: ``gather`` reads, ``keep`` writes what was gathered.
"""

from __future__ import annotations

import json
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from soloist.engine.store import settings
from soloist.engine.store.clock import from_iso, later
from soloist.engine.store.tables import (
    effects,
    events,
    journal_head,
    messages,
    notes,
    proposals,
    records,
    search_rows,
    tasks,
)
from soloist.engine.store.tables_memory import facts, memories
from soloist.engine.store.tx import Tx
from soloist.kernel.ids import derived

MARK = "search.mark"
"""Key under which the home keeps how far the journal is indexed: {seq, sent}."""
TURN, MOST_ITEMS = 200, 2_000
"""Events, and items of memory that they wrote, that are indexed in one transaction."""
MOST_TEXT, MOST_WORDS, LONGEST = 40_000, 8_000, 60
"""Characters and words of one object that can be found, and characters of one word."""
MOST_TERMS, MOST_QUERY = 16, 500
"""Terms and characters of a query that are looked for."""
COUNTED = 1000
"""Counts stop here."""
_AHEAD = 4096
"""Places that are looked at together for a free one."""
WAITS = 86_400.0
"""Seconds that the index waits for the message of a mail that went out to be put on its thread."""

GROUPS = ("people", "leads", "appointments", "documents", "records", "facts", "messages", "memory", "cards")
_OF_KIND = {"person": "people", "company": "people", "lead": "leads"}
_OF_KIND |= dict.fromkeys(("appointment", "meeting"), "appointments")
_OF_KIND |= dict.fromkeys(("document", "draft", "publication"), "documents")
_ELSEWHERE = ("message", "record", "card", "fact")
"""Kinds of memory that stand for something that is found as what it is."""
_IDEOGRAPH = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{_IDEOGRAPH}]|[^\W_{_IDEOGRAPH}]+")
_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')
_ACCENTS = {code: None for code in (*range(0x300, 0x3100), *range(0xFE20, 0xFE30)) if unicodedata.combining(chr(code))}
_EVENT_SUBJECTS = ("record.", "card.", "message.", "memory.", "fact.")


def fold(text: str) -> str:
    """A text without case, accents and other forms of the same letters."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold()).translate(_ACCENTS)


@lru_cache(maxsize=20_000)
def _folded(word: str) -> str:
    return fold(word)[:LONGEST]


def words_of(text: str) -> list[str]:
    """The words of a text in order, as they are indexed; a word over the limit is cut."""
    return [word[:LONGEST] for word in WORD.findall(fold(text[:MOST_TEXT]))][:MOST_WORDS]


# ----- what a query asks


@dataclass(frozen=True)
class Query:
    """Phrases that must all be there; of the last one the last word may go on when ``open_end``."""

    phrases: tuple[tuple[str, ...], ...] = ()
    open_end: bool = False
    cut: bool = False

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.phrases)

    def holds(self, word: str) -> bool:
        """Whether a word of a text is one of those that were asked for."""
        folded = _folded(word)
        if any(folded == part for phrase in self.phrases for part in phrase):
            return True
        return self.open_end and folded.startswith(self.phrases[-1][-1])


def parsed(text: str) -> Query:
    """What somebody typed: words and "quoted phrases"; whatever else is in it only separates words."""
    found: list[tuple[str, ...]] = []
    quoted = False
    for term in _TERM.finditer(text[:MOST_QUERY]):
        if phrase := tuple(words_of(term[1] if term[1] is not None else term[2])):
            found.append(phrase)
            quoted = term[1] is not None
    open_end = bool(found) and not quoted and len(found) <= MOST_TERMS and not text[-1:].isspace()
    return Query(tuple(found[:MOST_TERMS]), open_end, len(found) > MOST_TERMS or len(text) > MOST_QUERY)


def _match(query: Query, group: str) -> str:
    """The query as FTS5 takes it."""
    parts = [f'"{" ".join(phrase)}"' for phrase in query.phrases]
    if query.open_end:
        parts[-1] += " *"
    return " AND ".join([f'"_{group}"', *parts])


def _tsquery(query: Query, group: str) -> str:
    """The query as Postgres takes it."""
    phrases = [[f"'{word}'" for word in phrase] for phrase in query.phrases]
    if query.open_end:
        phrases[-1][-1] += ":*"
    return " & ".join([f"'_{group}'", *(f"({' <-> '.join(phrase)})" for phrase in phrases)])


_FIND = {
    "sqlite": "SELECT '{g}' AS g, rowid AS n FROM search_words"
    " WHERE search_words MATCH :q_{g} AND rowid < :before ORDER BY rowid DESC LIMIT :k_{g}",
    "postgresql": "SELECT '{g}' AS g, n FROM search_words"
    " WHERE words @@ CAST(:q_{g} AS tsquery) AND n < :before ORDER BY n DESC LIMIT :k_{g}",
}
NEWEST = 2**62


def find(
    conn: sa.Connection, query: Query, limits: Mapping[str, int], *, before: int = NEWEST
) -> dict[str, list[tuple[int, str]]]:
    """(place, id) of what fits in each group, newest first, after the place of the last one seen; one round trip."""
    found: dict[str, list[tuple[int, str]]] = {group: [] for group in limits}
    if query and limits:
        text, values = _asked(conn, query, limits)
        joined = f"SELECT f.g, f.n, r.ref FROM ({text}) AS f JOIN search_rows AS r ON r.n = f.n ORDER BY f.n DESC"  # noqa: S608  # only the texts above
        for row in conn.execute(sa.text(joined), {**values, "before": before}):
            found[row.g].append((int(row.n), str(row.ref)))
    return found


def count(conn: sa.Connection, query: Query, groups: Iterable[str]) -> dict[str, int]:
    """How many fit in each group, at most ``COUNTED``."""
    limits = dict.fromkeys(groups, COUNTED)
    if not query or not limits:
        return limits if query else dict.fromkeys(limits, 0)
    text, values = _asked(conn, query, limits)
    counted = f"SELECT f.g, count(*) AS number FROM ({text}) AS f GROUP BY f.g"  # noqa: S608  # only the texts above
    rows = conn.execute(sa.text(counted), {**values, "before": NEWEST})
    return {**dict.fromkeys(limits, 0), **{row.g: int(row.number) for row in rows}}


def _asked(conn: sa.Connection, query: Query, limits: Mapping[str, int]) -> tuple[str, dict[str, Any]]:
    """One question for several groups; their names are ours."""
    name = conn.dialect.name
    write = _tsquery if name == "postgresql" else _match
    values: dict[str, Any] = {f"k_{group}": limit for group, limit in limits.items()}
    values |= {f"q_{group}": write(query, group) for group in limits}
    parts = (f"SELECT * FROM ({_FIND[name].format(g=group)}) AS {group}" for group in limits)  # noqa: S608  # as above
    return " UNION ALL ".join(parts), values


# ----- following the journal


@dataclass(frozen=True)
class Document:
    """One object as it is indexed."""

    ref: str
    group: str
    at: str
    words: tuple[str, ...]

    @property
    def digest(self) -> int:
        """Tells whether anything that can be found has changed."""
        return zlib.crc32(" ".join((self.group, self.at, *self.words)).encode())


@dataclass(frozen=True)
class Turn:
    """What one transaction of the index writes: the mark it begins at, the next one, what came and what went."""

    before: str
    after: str
    documents: tuple[Document, ...]
    left: int
    gone: tuple[str, ...] = ()


def behind(conn: sa.Connection) -> int:
    """Events that are not indexed yet."""
    return max(0, _end(conn) - int(_mark(conn)["seq"]))


def _end(conn: sa.Connection) -> int:
    return int(conn.execute(sa.select(journal_head.c.seq)).scalar() or 0)


def _mark(conn: sa.Connection) -> dict[str, Any]:
    text = settings.value(conn, MARK)
    return dict(json.loads(text)) if text else {"seq": 0, "sent": {}}


def gather(conn: sa.Connection, now: str) -> Turn | None:
    """The next turn, None when there is nothing to do."""
    text, mark = settings.value(conn, MARK), _mark(conn)
    columns = (events.c.seq, events.c.id, events.c.kind, events.c.subject, events.c.at)
    query = sa.select(*columns).where(events.c.seq > mark["seq"]).order_by(events.c.seq).limit(TURN)
    rows, told = _bounded(conn, conn.execute(query).all())
    sent = {**mark["sent"], **_sent(conn, [row for row in rows if row.kind == "effect.succeeded"])}
    if not rows and not sent:
        return None
    found = [*_messages(conn, rows, [*sent]), *_records(conn, rows), *_cards(conn, rows)]
    found += [*_memories(conn, told), *_facts(conn, _subjects(rows, "fact.stated"))]
    there = {document.ref for document in found}
    since = later(now, -WAITS)
    waits = {ident: at for ident, at in sent.items() if ident not in there and at > since}
    seq = int(rows[-1].seq) if rows else int(mark["seq"])
    after = json.dumps({"seq": seq, "sent": waits}, separators=(",", ":"))
    if after == text:
        return None
    return Turn(text, after, tuple(found), max(0, _end(conn) - seq), tuple(_gone(told)))


def _bounded(conn: sa.Connection, rows: Sequence[Any]) -> tuple[Sequence[Any], list[dict[str, Any]]]:
    """As many of the events as one transaction takes, and what those about memory and facts say."""
    wanted = [row.seq for row in rows if row.kind.startswith(("memory.", "fact."))]
    if not wanted:
        return rows, []
    query = sa.select(events.c.seq, events.c.kind, events.c.body).where(events.c.seq.in_(wanted))
    told: list[dict[str, Any]] = []
    many = 0
    for row in conn.execute(query.order_by(events.c.seq)):
        payload = json.loads(row.body or "{}")
        many += int(payload.get("count", 0))
        if told and many > MOST_ITEMS:
            return [one for one in rows if one.seq < row.seq], told
        told.append({**payload, "kind": row.kind})
    return rows, told


def _gone(told: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Items and facts that ended."""
    for payload in told:
        if payload["kind"] == "memory.ended":
            yield from payload.get("ids", ())
        elif payload["kind"].startswith("fact."):
            yield from payload.get("ends", ())
            yield from [payload["fact"]] if payload["kind"] == "fact.ended" and payload.get("fact") else []


def _sent(conn: sa.Connection, rows: Sequence[Any]) -> dict[str, str]:
    """Ids that the messages of these effects have, or will have once they are put on their threads."""
    if not rows:
        return {}
    joined = effects.join(proposals, effects.c.proposal == proposals.c.id)
    about = effects.c.id.in_([row.subject for row in rows]) & (proposals.c.conversation != "")
    query = sa.select(proposals.c.id, effects.c.updated).select_from(joined)
    return {derived("sent", row.id): str(row.updated) for row in conn.execute(query.where(about))}


def _subjects(rows: Sequence[Any], kind: str) -> list[str]:
    return [*dict.fromkeys(row.subject for row in rows if row.kind.startswith(kind) and row.subject)]


def _messages(conn: sa.Connection, rows: Sequence[Any], sent: Sequence[str]) -> Iterator[Document]:
    mails = [row.id for row in rows if not row.kind.startswith(_EVENT_SUBJECTS) or row.kind == "message.received"]
    where = messages.c.id.in_([*_subjects(rows, "message."), *sent]) | messages.c.event.in_(mails)
    names = ("id", "at", "subject", "sender", "sender_name", "recipients", "text", "understanding", "attachments")
    for row in conn.execute(sa.select(*(messages.c[name] for name in names)).where(where)).mappings():
        said = (row["understanding"] or {}).get("own_text") or row["text"]
        others = row["recipients"] if isinstance(row["recipients"], list) else []
        files = [str(file.get("name", "")) for file in row["attachments"] or [] if isinstance(file, Mapping)]
        about = [row["subject"], row["sender_name"], row["sender"], *map(str, others[:20]), *files[:20], said]
        yield _document(row["id"], "messages", row["at"], about)


def _records(conn: sa.Connection, rows: Sequence[Any]) -> Iterator[Document]:
    idents = [*_subjects(rows, "record."), *_subjects(rows, "note.")]
    said: dict[str, list[str]] = {}
    for note in conn.execute(sa.select(notes.c.object, notes.c.body).where(notes.c.object.in_(idents))):
        said.setdefault(note.object, []).append(note.body)
    for row in conn.execute(sa.select(records).where(records.c.id.in_(idents))).mappings():
        group = _OF_KIND.get(row["kind"], "records")
        told = [row["title"], *texts(row["body"]), *said.get(row["id"], [])]
        yield _document(row["id"], group, row["updated"], told)


class _About(NamedTuple):
    """An object as if an event had just named it."""

    subject: str
    kind: str
    id: str = ""


def again(tx: Tx, refs: Sequence[str]) -> None:
    """Take objects out of the index and put those that are there still in as they are now."""
    known = tx.rows(sa.select(search_rows.c.n).where(search_rows.c.ref.in_(list(refs))))
    if gone := [{"n": row.n} for row in known]:
        tx.run(sa.text(_DROP[tx.conn.dialect.name]), gone)
        tx.run(search_rows.delete().where(search_rows.c.n.in_([row["n"] for row in gone])))
    rows = [_About(ref, f"{noun}.changed") for ref in refs for noun in ("message", "record", "card")]
    found = [*_messages(tx.conn, rows, []), *_records(tx.conn, rows), *_cards(tx.conn, rows)]
    if found:
        _insert(tx, found)


def all_texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names of fields and ids included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from all_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from all_texts(inner)


def texts(value: Any) -> Iterator[str]:
    """The texts in a record's fields; ids say nothing to anybody."""
    if isinstance(value, str) and not (len(value) == 36 and value.count("-") == 4):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def _cards(conn: sa.Connection, rows: Sequence[Any]) -> Iterator[Document]:
    where = tasks.c.id.in_(_subjects(rows, "card."))
    for row in conn.execute(sa.select(tasks).where(where)).mappings():
        yield _document(row["id"], "cards", row["created"], [row["title"], row["why"]])


def _memories(conn: sa.Connection, told: Sequence[Mapping[str, Any]]) -> Iterator[Document]:
    """Items that last; what belongs to one run, or is found as a message or record, is left out."""
    for payload in told:
        if payload["kind"] != "memory.written" or not payload.get("count"):
            continue
        m = memories.c
        where = m.n.between(int(payload["first"]), int(payload["last"])) & (m.ended == "") & (m.tier != "ephemeral")
        query = sa.select(m.id, m.kind, m.text, m.actor, m.at, m.created).where(where & m.kind.not_in(_ELSEWHERE))
        for row in conn.execute(query):
            yield _document(row.id, "memory", row.created, [row.text, row.actor])


def _facts(conn: sa.Connection, about: Sequence[str]) -> Iterator[Document]:
    """Facts about some records that last, with whom they are about."""
    joined = facts.join(records, records.c.id == facts.c.record)
    columns = (facts.c.id, facts.c.attribute, facts.c.value, facts.c.quote, facts.c.created, records.c.title)
    where = facts.c.record.in_(about) & (facts.c.ended == "")
    for row in conn.execute(sa.select(*columns).select_from(joined).where(where)) if about else ():
        said = [row.title, row.attribute.replace("_", " "), *texts(row.value), row.quote]
        yield _document(row.id, "facts", row.created, said)


def _document(ref: str, group: str, at: str, texts: Iterable[str]) -> Document:
    return Document(str(ref), group, str(at), tuple(words_of(" ".join(texts))))


def keep(tx: Tx, turn: Turn) -> bool:
    """Write a turn; False when somebody else has indexed it meanwhile, and nothing was written."""
    if settings.value(tx.conn, MARK) != turn.before:
        return False
    settings.put(tx, MARK, turn.after)
    if turn.gone:
        drop(tx, turn.gone)
    refs = [document.ref for document in turn.documents]
    known = tx.rows(sa.select(search_rows).where(search_rows.c.ref.in_(refs)))
    digests, places = {row.ref: row.digest for row in known}, {row.ref: row.n for row in known}
    fresh = {d.ref: d for d in turn.documents if digests.get(d.ref) != d.digest}
    if gone := [{"n": places[ref]} for ref in fresh if ref in places]:
        tx.run(sa.text(_DROP[tx.conn.dialect.name]), gone)
        tx.run(search_rows.delete().where(search_rows.c.n.in_([row["n"] for row in gone])))
    if fresh:
        _insert(tx, [*fresh.values()])
    return True


def drop(tx: Tx, refs: Sequence[str]) -> None:
    """Take objects out of the index; what is not in it is not missed."""
    for start in range(0, len(refs), TURN):
        rows = tx.rows(sa.select(search_rows.c.n).where(search_rows.c.ref.in_([*refs[start : start + TURN]])))
        if gone := [{"n": int(row.n)} for row in rows]:
            tx.run(sa.text(_DROP[tx.conn.dialect.name]), gone)
            tx.run(search_rows.delete().where(search_rows.c.n.in_([row["n"] for row in gone])))


_DROP = {
    "sqlite": "DELETE FROM search_words WHERE rowid=:n",
    "postgresql": "DELETE FROM search_words WHERE n=:n",
}
_ADD = {
    "sqlite": "INSERT INTO search_words (rowid, words) VALUES (:n, :words)",
    "postgresql": "INSERT INTO search_words (n, words) VALUES (:n, CAST(:words AS tsvector))",
}


def _insert(tx: Tx, documents: Sequence[Document]) -> None:
    """Add documents, each at a place that sorts by its instant."""
    rows, texts = [], []
    name = tx.conn.dialect.name
    for document, place in zip(documents, _free(tx, [_place(document) for document in documents]), strict=True):
        rows.append({"n": place, "ref": document.ref, "digest": document.digest})
        marked = (f"_{document.group}", *document.words)
        texts.append({"n": place, "words": " ".join(marked) if name == "sqlite" else _vector(marked)})
    tx.run(search_rows.insert(), rows)
    tx.run(sa.text(_ADD[name]), texts)


def _place(document: Document) -> int:
    """Milliseconds, and ten bits that tell apart what came in the same one."""
    milliseconds = int(from_iso(document.at).timestamp() * 1000) if document.at else 0
    return (milliseconds << 10) | (zlib.crc32(document.ref.encode()) & 1023)


def _free(tx: Tx, wanted: Sequence[int]) -> list[int]:
    """Each wanted place, or the next one that no row has; many of one instant cost one look-up."""
    taken = {int(row.n) for row in tx.rows(sa.select(search_rows.c.n).where(search_rows.c.n.in_([*wanted])))}
    looked, found = range(0), []
    for first in wanted:
        place = first
        while place in taken or (place != first and place not in looked):
            if place in taken:
                place += 1
                continue
            looked = range(place, place + _AHEAD)
            stored = tx.rows(sa.select(search_rows.c.n).where(search_rows.c.n.between(place, looked[-1])))
            taken |= {int(row.n) for row in stored}
        taken.add(place)
        found.append(place)
    return found


def _vector(words: Sequence[str]) -> str:
    """Words with their positions as Postgres writes them."""
    found: dict[str, list[str]] = {}
    for number, word in enumerate(words, 1):
        found.setdefault(word, []).append(str(number))
    return " ".join(f"'{word}':{','.join(numbers[:250])}" for word, numbers in found.items())
