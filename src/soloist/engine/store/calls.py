"""Kept calls: what skills were given and answered in each run, so that it can be done again; it calls none.

A long value stands once in ``call_values`` under its hash: the house book and the templates are the same for
thousands of calls. A value that was struck by an erasure no longer fits its hash, and is said to be gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa

from soloist.engine.store.tables_agents import call_values, skill_calls
from soloist.engine.store.tx import Tx
from soloist.kernel.errors import NotFound
from soloist.kernel.hashing import sha256

LONG = 300
"""Characters of a value's JSON from which it stands on its own."""
MOST = 512 * 1024
"""Characters of one value; of a longer one only the hash is kept, and the call cannot be done again."""
REF = "$kept"


class Made(Protocol):
    """A call as it was made (engine.calls.Call)."""

    @property
    def skill(self) -> str:
        """Its name."""

    @property
    def version(self) -> str:
        """Its version."""

    @property
    def input(self) -> Mapping[str, Any]:
        """What it was given."""

    @property
    def blob(self) -> str:
        """The hash of bytes that were given beside it."""

    @property
    def output(self) -> Mapping[str, Any]:
        """What it answered."""


def keep(tx: Tx, run: str, step: str, made: Sequence[Made]) -> None:
    """Keep the calls of a step in place of those of an earlier try of it."""
    tx.run(skill_calls.delete().where((skill_calls.c.run == run) & (skill_calls.c.step == step)))
    texts: dict[str, str] = {}
    rows = [
        {
            "run": run,
            "step": step,
            "n": n,
            "skill": call.skill,
            "version": call.version,
            "input": _packed(call.input, texts),
            "blob": call.blob,
            "output": _packed(call.output, texts),
            "at": tx.now,
        }
        for n, call in enumerate(made)
    ]
    _values(tx, texts)
    tx.run(skill_calls.insert(), rows)


def _packed(value: Mapping[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """A value whose long fields are their hashes; ``texts`` gets what stands behind them."""
    found: dict[str, Any] = {}
    for name, part in value.items():
        text = json.dumps(part, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if len(text) <= LONG:
            found[name] = part
            continue
        digest = sha256(text.encode("utf-8", "surrogatepass"))
        found[name] = {REF: digest}
        if len(text) <= MOST:
            texts[digest] = text.encode("utf-8", "replace").decode()
    return found


def _values(tx: Tx, texts: Mapping[str, str]) -> None:
    """Add what is not there yet, and note the day on which the others were used again."""
    at = call_values.c
    known = {row.hash: row.at for row in tx.rows(sa.select(at.hash, at.at).where(at.hash.in_(list(texts))))}
    if fresh := [name for name in texts if name not in known]:
        tx.run(call_values.insert(), [{"hash": n, "value": texts[n], "pinned": 0, "at": tx.now} for n in fresh])
    old = [name for name, used in known.items() if used[:10] != tx.now[:10]]
    if old:
        tx.run(call_values.update().where(at.hash.in_(old)).values(at=tx.now))


def pin(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep the values of these calls for good: a correction rests on them."""
    named = [
        part[REF] for row in rows for side in ("input", "output") for part in (row[side] or {}).values() if ref(part)
    ]
    if named:
        tx.run(call_values.update().where(call_values.c.hash.in_(named)).values(pinned=1))


def ref(part: Any) -> bool:
    """Whether a part of a packed value stands elsewhere."""
    return isinstance(part, Mapping) and len(part) == 1 and REF in part


def of_run(conn: sa.Connection, run: str) -> list[dict[str, Any]]:
    """The calls of a run in their order, packed: {step, n, skill, version, input, blob, output, at}."""
    at = skill_calls.c
    query = sa.select(skill_calls).where(at.run == run).order_by(at.at, at.step, at.n)
    return [dict(row) for row in conn.execute(query).mappings()]


def whole(conn: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Calls with their long values in place (NotFound says what became of one that is gone)."""
    named = {
        part[REF] for row in rows for side in ("input", "output") for part in (row[side] or {}).values() if ref(part)
    }
    query = sa.select(call_values.c.hash, call_values.c.value).where(call_values.c.hash.in_(list(named)))
    there = {row.hash: row.value for row in conn.execute(query)}
    return [{**row, **{side: _unpacked(row[side] or {}, there) for side in ("input", "output")}} for row in rows]


def _unpacked(value: Mapping[str, Any], there: Mapping[str, str]) -> dict[str, Any]:
    found = {}
    for name, part in value.items():
        if not ref(part):
            found[name] = part
            continue
        text = there.get(part[REF])
        if text is None or sha256(text.encode()) != part[REF]:
            raise NotFound(f"What the skill was given as {name!r} is no longer kept: it was erased or had its time.")
        found[name] = json.loads(text)
    return found


def size(conn: sa.Connection) -> int:
    """Characters that kept calls take."""
    at = skill_calls.c
    texts = (sa.func.length(sa.type_coerce(column, sa.Text)) for column in (at.input, at.output))
    own = conn.execute(sa.select(*(sa.func.coalesce(sa.func.sum(text), 0) for text in texts))).one()
    rest = conn.execute(sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(call_values.c.value)), 0))).scalar()
    return sum(int(part) for part in own) + int(rest or 0)
