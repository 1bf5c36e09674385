"""Rows of an erasure: which are deleted, which are emptied, and how a person is struck out of everybody else's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import model_calls, runs, searching, tables
from soloist.engine.store import tables_agents as agents
from soloist.engine.store import tables_memory as memory
from soloist.engine.store import tables_spend as spend
from soloist.engine.store.base import is_sqlite
from soloist.engine.store.traces import ERASED, Traces
from soloist.engine.store.tx import Tx
from soloist.kernel.hashing import sha256

versions = tables.record_versions
_GONE = runs.ERASED
_SOME = 400
NOT_STRUCK = {
    "events",
    "assets",
    "secrets",
    "operators",
    "alembic_version",
    "embeddings",
    "journal_head",
    "checkpoints",
}
"""Events and assets have their own way; the others hold no text about anybody."""
_INDEX = ("search_words", "sqlite_")


@dataclass
class Owned:
    """Everything that is a person's by its links: ids by what they are."""

    records: set[str] = field(default_factory=set)
    conversations: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    proposals: set[str] = field(default_factory=set)
    effects: set[str] = field(default_factory=set)
    cards: set[str] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    memories: set[int] = field(default_factory=set)
    assets: set[str] = field(default_factory=set)

    def objects(self) -> set[str]:
        """Everything that can be the subject of an event, a note or a card."""
        parts = (self.records, self.conversations, self.messages, self.events, self.proposals, self.effects)
        return set().union(*parts, self.cards)

    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {name: len(value) for name, value in vars(self).items()}


@dataclass
class Done:
    """What one pass took out: counts, hashes of assets to remove, the records and texts of kept rows that changed."""

    counts: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    events: list[str] = field(default_factory=list)
    writings: set[str] = field(default_factory=set)

    def add(self, name: str, count: int) -> None:
        """Count what was done."""
        if count:
            self.counts[name] = self.counts.get(name, 0) + count


def pieces(values: Iterable[Any]) -> Iterator[list[Any]]:
    """A set in parts small enough for one statement."""
    listed = sorted(value for value in values if value != "")
    yield from (listed[at : at + _SOME] for at in range(0, len(listed), _SOME))


def delete(tx: Tx, found: Owned, done: Done) -> None:
    """Rows that have no use without the person."""
    things = found.objects()
    done.add("recordings", model_calls.forget_recordings(tx, [*pieces(found.runs)], [*pieces(found.records)]))
    for table, columns, values in (
        (tables.identities, ("record",), found.records),
        (memory.match_keys, ("record",), found.records),
        (memory.relations, ("record", "other"), found.records),
        (memory.merges, ("kept", "other"), found.records),
        (memory.facts, ("record",), found.records),
        (memory.import_rows, ("record",), found.records),
        (memory.outcomes, ("object",), things),
        (memory.embeddings, ("n",), found.memories),
        (memory.memories, ("n",), found.memories),
        (tables.notes, ("object",), things),
        (tables.labels, ("message",), found.messages),
        (agents.samples, ("object",), things),
        (agents.corrections, ("object",), things),
        (agents.skill_calls, ("run",), found.runs),
        (agents.trial_rows, ("object",), _tried(tx, found)),
        (tables.thread_ids, ("conversation",), found.conversations),
        (versions, ("record",), found.records),
        (tables.records, ("id",), found.records),
    ):
        for name in columns:
            for part in pieces(values):
                done.add(table.name, tx.run(table.delete().where(table.c[name].in_(part))).rowcount)


def _tried(tx: Tx, found: Owned) -> set[str]:
    """What trials call the person's runs, proposals and corrections; asked before any of them is gone."""
    named = {f"run:{run}" for run in found.runs} | {f"proposal:{one}" for one in found.proposals}
    named |= {f"message:{one}" for one in found.messages}
    row = agents.corrections.c
    for part in pieces(found.objects()):
        named |= {f"correction:{one.id}" for one in tx.rows(sa.select(row.id).where(row.object.in_(part)))}
    return named


_EMPTIED: Sequence[tuple[sa.Table, str, str, Mapping[str, Any]]] = (
    (
        tables.messages,
        "id",
        "messages",
        {
            **dict.fromkeys(("message_id", "sender", "sender_name", "answer_to", "subject", "text", "asset"), ""),
            **dict.fromkeys(("text_hash", "place"), ""),
            **{name: [] for name in ("recipients", "references", "attachments", "automatic", "defects")},
            **{name: {} for name in ("understanding", "flags", "summary")},
        },
    ),
    (tables.conversations, "id", "conversations", {"subject": ERASED, "record": ""}),
    (
        tables.tasks,
        "id",
        "cards",
        {"title": "Erased", "why": "", "detail": {}, "estimate": None, "decision": {}, "record": "", "delegate": ""},
    ),
    (
        tables.proposals,
        "id",
        "proposals",
        {"payload": _GONE, "reason": "", "evidence": {}, "questions": None, "assets": [], "recipients": []},
    ),
    (tables.proposal_versions, "proposal", "proposals", {"payload": _GONE}),
    (tables.approvals, "proposal", "proposals", {"reason": "", "edits": None}),
    (tables.verdicts, "proposal", "proposals", {"reason": "", "gates": None, "trace": None}),
    (tables.effects, "id", "effects", {"evidence": [], "undo_plan": None, "late": None}),
    (tables.effect_attempts, "effect", "effects", {"evidence": ""}),
    (tables.contexts, "run", "runs", {"records": [], "messages": [], "packed": None}),
    (spend.model_calls, "run", "runs", model_calls.NO_WORDS),
    (spend.model_calls, "client", "records", model_calls.NO_WORDS),
    (spend.night_jobs, "run", "runs", {"request": {}}),
)


def empty(tx: Tx, found: Owned, done: Done) -> None:
    """Rows that others point at: they stay with their ids, states, hashes and instants, without what they said."""
    for table, key, name, values in _EMPTIED:
        for part in pieces(getattr(found, name)):
            wanted = table.update().where(table.c[key].in_(part)).values(**values)
            done.add(table.name, tx.run(wanted).rowcount)
    over = tables.runs.c.state != "pending"
    for part in pieces(found.runs):
        ended = sa.select(tables.runs.c.id).where(tables.runs.c.id.in_(part), over)
        steps = tables.run_steps
        values = {"input": _GONE, "output": _GONE, "detail": _GONE, "error": ""}
        done.add("run_steps", tx.run(steps.update().where(steps.c.run.in_(ended)).values(**values)).rowcount)
        tx.run(tables.runs.update().where(tables.runs.c.id.in_(part), over).values(note="", error=""))


# ----- other people's rows


def strike(tx: Tx, traces: Traces, done: Done) -> None:
    """The person's traces out of every text of every table there is, whoever made it."""
    if not traces:
        return
    for table, columns in text_columns(tx.conn):
        for at, texts in naming(tx.conn, table, columns, traces):
            changed = {}
            for name, text in texts.items():
                if found := traces.inside(_loosened(text)):
                    done.writings.update(found)
                    changed[name] = struck_text(text, traces)
            if changed:
                _write(tx, table, at, changed, done)
                done.add(f"named in {table.split('.')[-1]}", 1)


def _loosened(text: str) -> str:
    """JSON as its texts, so that an escaped line end before a name does not hide it."""
    value = parsed(text)
    return text if value is None else "\n".join(searching.all_texts(value))


def parsed(text: str) -> Any:
    """A stored text as JSON, None when it is none."""
    if text[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def struck_text(text: str, traces: Traces) -> str:
    """A stored text or JSON text without the traces, in the form in which it was stored."""
    value = parsed(text)
    if value is None:
        return traces.struck(text)
    ours = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")) == text
    struck = traces.struck_value(value)
    if ours:
        return json.dumps(struck, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(struck)


def text_columns(conn: sa.Connection) -> list[tuple[str, list[str]]]:
    """(table, columns that hold text) of the whole database, the engine's own tables included."""
    look = sa.inspect(conn)
    sqlite = is_sqlite(conn.dialect.name)
    names: list[tuple[str | None, str]] = [(None, name) for name in look.get_table_names()]
    if not sqlite:
        names = [(schema, name) for schema in ("public", "dbos") for name in look.get_table_names(schema=schema)]
    found = []
    for schema, name in sorted(names, key=str):
        if name in NOT_STRUCK or name.startswith(_INDEX):
            continue
        columns = [
            column["name"]
            for column in look.get_columns(name, schema=schema)
            if isinstance(column["type"], sa.String | sa.Text) and column["name"] not in _NO_TEXT
        ]
        if columns:
            found.append((f"{schema}.{name}" if schema else name, columns))
    return found


_NO_TEXT = {
    *("hash", "body_hash", "payload_hash", "request_hash", "hits_hash", "parameters_hash", "text_hash", "subject_hash"),
    *("created", "updated", "at", "ended", "closed", "started", "expires", "used", "shown", "event", "ended_event"),
}
"""Columns of hashes, instants and ids of events, in whatever table."""


def naming(
    conn: sa.Connection, table: str, columns: Sequence[str], traces: Traces
) -> Iterator[tuple[Any, dict[str, str]]]:
    """(place of the row, its texts) of every row that may hold a trace."""
    sqlite = is_sqlite(conn.dialect.name)
    place, operator = ("rowid", "LIKE") if sqlite else ("ctid::text", "ILIKE")
    likes = traces.likes()
    tests = (f"{_q(c)} {operator} :p{n} ESCAPE '\\'" for c in columns for n in range(len(likes)))
    listed = ", ".join(_q(c) for c in columns)
    text = f"SELECT {place} AS place_of_row, {listed} FROM {_q(table)} WHERE {' OR '.join(tests)}"  # noqa: S608  # names of our own tables
    for row in conn.execute(sa.text(text), {f"p{n}": like for n, like in enumerate(likes)}).all():
        yield row[0], {c: v for c, v in zip(columns, row[1:], strict=True) if isinstance(v, str)}


def _q(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split("."))


def _write(tx: Tx, table: str, at: Any, changed: Mapping[str, str], done: Done) -> None:
    """One struck row; what else depends on its text."""
    name = table.split(".")[-1]
    place = "rowid = :at" if is_sqlite(tx.conn.dialect.name) else "ctid = CAST(:at AS tid)"
    if name in ("retrievals", "recordings"):
        tx.run(sa.text(f"DELETE FROM {_q(table)} WHERE {place}"), {"at": at})  # noqa: S608  # our own name
        return
    if name in ("records", "messages", "tasks", "memories"):
        row = tx.run(sa.text(f"SELECT id FROM {_q(table)} WHERE {place}"), {"at": at}).first()  # noqa: S608  # our own
        if row is not None:
            done.changed.add(str(row[0]))
    sets = ", ".join(f"{_q(column)} = :v{n}" for n, column in enumerate(changed))
    values = {f"v{n}": text for n, text in enumerate(changed.values())}
    if name == "memories" and "text" in changed:
        sets, values = f"{sets}, hash = :h", {**values, "h": sha256(changed["text"].encode())}
        number = tx.run(sa.text(f"SELECT n FROM {_q(table)} WHERE {place}"), {"at": at}).scalar()  # noqa: S608  # our own
        tx.run(memory.embeddings.delete().where(memory.embeddings.c.n == number))
    tx.run(sa.text(f"UPDATE {_q(table)} SET {sets} WHERE {place}"), {**values, "at": at})  # noqa: S608  # our own


def mentions(conn: sa.Connection, traces: Traces, most: int = 200) -> dict[str, list[str]]:
    """Texts of rows that hold a trace, by table; for looking before anything is done."""
    found: dict[str, list[str]] = {}
    for table, columns in text_columns(conn):
        for _at, texts in naming(conn, table, columns, traces):
            held = [text for text in texts.values() if traces.inside(_loosened(text))]
            if held and len(found.setdefault(table, [])) < most:
                found[table].append(held[0])
    return {table: rows for table, rows in found.items() if rows}


# ----- assets and the index of words


def drop_assets(tx: Tx, folder: Path, mine: set[str], traces: Traces, done: Done) -> None:
    """Assets of the person, and every other that holds a trace; ``done.files`` are paths to remove after the commit."""
    table = tables.assets
    shared = _still_used(tx.conn, mine)
    gone: list[str] = []
    for row in tx.conn.execute(sa.select(table.c.hash, table.c.path, table.c.bytes)):
        if (row.hash in mine and row.hash not in shared) or _holds(row, folder, traces):
            gone.append(row.hash)
            if row.path:
                done.files.append(row.path)
    for part in pieces(gone):
        done.add("assets", tx.run(table.delete().where(table.c.hash.in_(part))).rowcount)


def _holds(row: Any, folder: Path, traces: Traces) -> bool:
    """Whether an asset holds a trace; a file that is gone holds nothing."""
    try:
        data = bytes(row.bytes) if row.bytes is not None else (folder / row.path).read_bytes()
    except OSError:
        return False
    return bool(traces) and traces.in_bytes(data)


def _still_used(conn: sa.Connection, digests: set[str]) -> set[str]:
    """Those that a message of somebody else has as well: theirs were emptied before this is asked."""
    row, found = tables.messages.c, set()
    attachments = sa.type_coerce(row.attachments, sa.Text)
    for digest in digests:
        used = sa.select(row.id).where(sa.or_(row.asset == digest, attachments.like(f"%{digest}%"))).limit(1)
        if conn.execute(used).first() is not None:
            found.add(digest)
    return found


def forget_words(tx: Tx, refs: Iterable[str]) -> None:
    """Take objects out of the index of words; those that are there still are indexed anew."""
    for part in pieces(refs):
        searching.again(tx, part)
