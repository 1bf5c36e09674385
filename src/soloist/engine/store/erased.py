"""Erasures as rows: begun, taken out, proved; how a person is known again in an older copy by hashes alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import base, erasing, erasing_rows, searching
from soloist.engine.store.erasing import Subject
from soloist.engine.store.erasing_rows import Done
from soloist.engine.store.tables import assets, events, records
from soloist.engine.store.tables_memory import erasures
from soloist.engine.store.traces import CORE, Trace, Traces, digits, usable
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound
from soloist.kernel.hashing import keyed

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"\+?\d[\d\s()/.-]{6,}\d")
_MOST_WORDS = 8


# ----- rows


def begin(tx: Tx, ident: str, *, who: str, why: str, keys: Sequence[Sequence[Any]], records: Sequence[str]) -> None:
    """A row for an erasure that is about to be done; it holds ids and keyed hashes only."""
    found = {"records": list(records), "keys": [list(key) for key in keys], "counts": {}}
    row = {"id": ident, "state": "running", "found": found, "who": who, "why": why, "created": tx.now}
    tx.run(erasures.insert(), row)


def took(tx: Tx, ident: str, done: Done, *, sealed: str, subject: str) -> None:
    """What the transaction took out; ``sealed`` is what the rest needs."""
    found = {**get(tx.conn, ident)["found"], "counts": done.counts}
    values = {"found": found, "subject": sealed, "subject_hash": subject}
    tx.run(erasures.update().where(erasures.c.id == ident).values(**values))


def once_more(tx: Tx, ident: str, meant: Subject, folder: Path) -> None:
    """Take out what came in while the first pass ran; its own event names what it destroyed."""
    subject = get(tx.conn, ident)["subject_hash"]
    event = get(tx.conn, ident)["event"]
    done = erasing.take_out(tx, meant, erasure=ident, keyed=subject, actor="soloist", folder=folder)
    found = dict(get(tx.conn, ident)["found"])
    for name, count in done.counts.items():
        found["counts"][name] = found["counts"].get(name, 0) + count
    tx.run(erasures.update().where(erasures.c.id == ident).values(found=found, event=event))


def end(tx: Tx, ident: str, proof: Mapping[str, Any]) -> dict[str, Any]:
    """The erasure is over and proved; what named the person is destroyed. The row."""
    event = get(tx.conn, ident)["event"]
    seq = int(tx.conn.execute(sa.select(events.c.seq).where(events.c.id == event)).scalar() or 0)
    state = "done" if not proof["hits"] and not proof["left"] else "left"
    values = {"state": state, "proof": dict(proof), "subject": "", "seq": seq, "done": tx.now}
    key = (erasures.c.id == ident) & (erasures.c.state == "running")
    if tx.run(erasures.update().where(key).values(**values)).rowcount:
        told = {name: proof[name] for name in ("files", "bytes", "texts", "hits")}
        tx.append("memory.erasure_proved", subject=ident, payload={"state": state, **told})
    return get(tx.conn, ident)


def get(conn: sa.Connection, ident: str) -> dict[str, Any]:
    """One erasure (NotFound)."""
    row = conn.execute(sa.select(erasures).where(erasures.c.id == ident)).mappings().first()
    if row is None:
        raise NotFound(f"There is no erasure {ident}.")
    return dict(row)


def listed(conn: sa.Connection, limit: int = 100, before: tuple[str, str] | None = None) -> list[dict[str, Any]]:
    """Erasures, the newest first, after the (created, id) of the last one seen."""
    query = sa.select(erasures)
    if before:
        query = query.where(sa.tuple_(erasures.c.created, erasures.c.id) < sa.tuple_(*map(sa.literal, before)))
    query = query.order_by(erasures.c.created.desc(), erasures.c.id.desc()).limit(limit)
    return [dict(row) for row in conn.execute(query).mappings()]


def running(conn: sa.Connection) -> list[str]:
    """Erasures that are not proved yet."""
    query = sa.select(erasures.c.id).where(erasures.c.state == "running").order_by(erasures.c.created)
    return list(conn.execute(query).scalars())


def shown(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, str]]:
    """{id, kind, title} of records."""
    row = records.c
    found = conn.execute(sa.select(row.id, row.kind, row.title).where(row.id.in_(idents)).order_by(row.kind, row.id))
    return [dict(one) for one in found.mappings()]


def lawful(conn: sa.Connection, idents: Sequence[str]) -> list[dict[str, Any]]:
    """Records that the law may require to keep and that name the person: {kind, count, law}."""
    counts: dict[str, int] = {}
    for row in erasing.naming_records(conn, idents):
        if row.kind in erasing.LAWFUL:
            counts[row.kind] = counts.get(row.kind, 0) + 1
    return [{"kind": kind, "count": counts[kind], "law": erasing.LAWFUL[kind]} for kind in sorted(counts)]


def rows_with(conn: sa.Connection, words: Sequence[str], folder: Path) -> dict[str, int]:
    """In how many rows of other people each word stands; 0 is a word that only a dead page could hold."""
    found: dict[str, int] = {}
    for word in words:
        matcher = Traces([Trace("text", word)])
        rows = sum(map(len, erasing_rows.mentions(conn, matcher).values()))
        body = sa.select(sa.func.count()).where(events.c.body.ilike(f"%{word}%"))
        rows += int(conn.execute(body).scalar() or 0)
        for row in conn.execute(sa.select(assets.c.bytes).where(assets.c.bytes.is_not(None))):
            rows += word.encode() in bytes(row.bytes).lower()
        found[word] = rows
    return found


# ----- known again by hashes


def keys(traces: Iterable[Trace], secret: bytes) -> list[tuple[str, str, int]]:
    """(keyed hash, kind, words) of each trace: enough to know it when it is seen, nothing to read it from."""
    return sorted((_key(trace, secret), trace.kind, len(trace.plain.split())) for trace in traces)


def _key(trace: Trace, secret: bytes) -> str:
    kind = "phone" if trace.kind == "phone" else "text"
    return keyed(secret, f"erased {kind} {trace.plain}")


def derived(conn: sa.Connection, line: Mapping[str, Any], secret: bytes) -> Subject:
    """The person of an erasure in a copy that still holds them: by the records' ids, then by looking at every text."""
    there = [row["id"] for row in shown(conn, line["records"])]
    found = erasing.subject_of_records(conn, there) if there else Subject("")
    wanted = {str(key): (str(kind), int(count)) for key, kind, count in line["keys"]}
    known = {_key(trace, secret) for trace in found.traces}
    missing = {key: about for key, about in wanted.items() if key not in known}
    if missing:
        found.traces += _looked_for(conn, missing, secret)
    found.traces = usable([trace for trace in found.traces if _key(trace, secret) in wanted])
    return found


def _looked_for(conn: sa.Connection, missing: dict[str, tuple[str, int]], secret: bytes) -> list[Trace]:
    """Traces whose hashes are wanted, found in any text of any table or event."""
    found: dict[str, Trace] = {}
    seen: set[tuple[str, str]] = set()
    kinds = {kind for kind, _count in missing.values()}
    lengths = sorted({count for kind, count in missing.values() if kind in ("name", "text", "address")})[:_MOST_WORDS]
    for text in _every_text(conn):
        for trace in _candidates(text, kinds, lengths):
            mark = ("phone" if trace.kind == "phone" else "text", trace.plain)
            if mark not in seen:
                seen.add(mark)
                if (key := _key(trace, secret)) in missing:
                    kind: Any = missing[key][0]
                    found[key] = Trace(kind, trace.text)
        if len(found) == len(missing):
            break
    return list(found.values())


def _every_text(conn: sa.Connection) -> Iterable[str]:
    for table, columns in erasing_rows.text_columns(conn):
        listed = ", ".join(f'"{column}"' for column in columns)
        name = ".".join(f'"{part}"' for part in table.split("."))
        for row in conn.execute(sa.text(f"SELECT {listed} FROM {name}")):  # noqa: S608  # names of our own tables
            yield from (text for text in row if isinstance(text, str) and text)
    for (body,) in conn.execute(sa.select(events.c.body).where(events.c.body.is_not(None))):
        yield body
    query = sa.select(assets.c.bytes).where(assets.c.bytes.is_not(None))
    for (data,) in conn.execute(query):
        yield bytes(data).decode("utf-8", "replace")


def _candidates(text: str, kinds: set[str], lengths: Sequence[int]) -> Iterable[Trace]:
    """What in a text could be one of those that are looked for."""
    plain = "\n".join(searching.all_texts(value)) if (value := erasing_rows.parsed(text)) is not None else text
    if "address" in kinds:
        yield from (Trace("address", found) for found in _ADDRESS.findall(plain))
    if "phone" in kinds:
        numbers = (found for found in _NUMBER.findall(plain) if len(digits(found)) >= CORE)
        yield from (Trace("phone", found) for found in numbers)
    if "name" in kinds or "text" in kinds:
        words = [word.strip(".,;:!?()<>[]{}\"'") for word in plain.split()]
        for count in lengths:
            for at in range(len(words) - count + 1):
                yield Trace("text", " ".join(words[at : at + count]))


# ----- the file


def compact(url: str, write: Callable[..., Any]) -> None:
    """Let nothing deleted stay in the database's files: the index of words is merged, free pages are dropped."""
    if not base.is_sqlite(url):
        _compact_postgres(url)
        return
    write(lambda tx: tx.conn.exec_driver_sql("INSERT INTO search_words(search_words) VALUES('optimize')").close())
    engine = base.reader(url, pool=1)
    try:
        with engine.connect() as conn:
            conn.exec_driver_sql("ROLLBACK")
            for pragma in ("query_only=OFF", "secure_delete=ON"):
                conn.exec_driver_sql(f"PRAGMA {pragma}")
            conn.exec_driver_sql("VACUUM")
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
    finally:
        engine.dispose()


def _compact_postgres(url: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.exec_driver_sql("VACUUM")
    engine.dispose()
