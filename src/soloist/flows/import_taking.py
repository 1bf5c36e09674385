"""Rows of an import, one after the other: what would become of each, that being done, and that being taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.store import imports, records
from soloist.engine.store.tx import Tx
from soloist.flows import import_rows, import_values
from soloist.kernel.errors import BadInput
from soloist.kernel.kind import Kind


def tried(conn: Any, kind: Kind, source: str, read: import_values.Read, names: import_rows.Names) -> dict[str, Any]:
    """What would become of a row: the columns of its row, and its keys."""
    refs, unknown = import_rows.referred(conn, kind, read, names)
    body = {**read.body, **refs}
    if not body:
        return {"outcome": "empty", "read": {}, "match": "", "record": "", "detail": {"notes": read.notes}, "keys": []}
    given = {
        "body": body,
        "state": read.state,
        "external": read.external,
        "title": title(kind, body),
        "kind": kind.name,
    }
    lacking = import_rows.missing(kind, body)
    keys = [f"{key.scheme}={key.value}" for key in import_rows.keys(kind, given, source)]
    meant = import_rows.meant(conn, kind, given, source, names)
    detail: dict[str, Any] = {"notes": [*read.notes, *unknown, *lacking]}
    detail |= {"doubt": meant.doubt} if meant.doubt else {}
    outcome = "lacking" if lacking and not meant.record else "new"
    if meant.record:
        change = import_rows.change(records.get(conn, meant.record), kind, body)
        detail |= {"fills": change.fills, "differs": change.differs, "keeps": change.keeps}
        outcome = "review" if meant.doubt or change.differs else "change" if change.fills else "same"
    keys = [] if outcome == "lacking" else keys or [f"title={str(given['title']).casefold()}"]
    return {
        "outcome": outcome,
        "read": given,
        "match": meant.rule,
        "record": meant.record,
        "detail": detail,
        "keys": keys,
    }


def twice(outcome: dict[str, Any], first: int, *, by_name: bool) -> None:
    """A row that is about the same as an earlier one of the file; by its name alone that is only a guess."""
    outcome["detail"]["double"] = first
    if outcome["outcome"] == "new":
        outcome["outcome"] = "review" if by_name else "change"
    if by_name and not outcome["record"]:
        outcome["detail"]["doubt"] = f"Row {first} has the same name and nothing else in common."


def title(kind: Kind, body: Mapping[str, Any]) -> str:
    """What the record is called."""
    return (
        kind.titled(body)
        or str(next((v for v in body.values() if isinstance(v, str) and v), kind.label or kind.name))[:300]
    )


class Taking:
    """Rows of one import that are taken over in one transaction."""

    def __init__(self, tx: Tx, kinds: Mapping[str, Kind], row: Mapping[str, Any], names: import_rows.Names) -> None:
        """``row`` is the import, ``names`` whom its rows may mean, ``kinds`` are those of this home."""
        self._tx, self._kinds, self._row, self._names = tx, kinds, row, names
        self._source, self._rest = row["mapping"].get("source", ""), row["mapping"].get("rest", "")

    def take(self, line: Mapping[str, Any], *, loose: bool) -> dict[str, Any]:
        """Take one row over; what it becomes. Whom it means is looked up again: much may have happened since."""
        read, detail, kind = line["read"], dict(line["detail"] or {}), self.kind(line)
        choice = detail.get("choice") or (self._rest if line["outcome"] == "review" else "")
        if choice == "leave":
            return {"outcome": "left"}
        meant = import_rows.meant(self._tx.conn, kind, read, self._source, self._names, loose=loose)
        if not meant.record or choice == "new" or (meant.doubt and not line["record"]):
            return self._made(kind, line, detail)
        record = meant.record
        if meant.doubt and meant.rule == "alike" and not choice:
            # Nobody said that the two are one: whether they are is asked later, about records.
            record = import_rows.said_already(self._tx.conn, kind, read, self._names)
            if not record:
                return self._made(kind, line, detail)
        now = records.get(self._tx.conn, record)
        change = import_rows.change(now, kind, read["body"])
        fields = dict(change.fills)
        if choice == "take":
            fields |= {name: one["offered"] for name, one in {**change.differs, **change.keeps}.items()}
        self._link(line, record)
        if not fields:
            return {"outcome": "known", "record": record, "version": now["version"]}
        by = "operator" if choice == "take" else "outside"
        written = records.write(self._tx, record, now["version"], fields, why=self._why(line), by=by)
        return {"outcome": "filled", "record": record, "version": written["version"]}

    def kind(self, line: Mapping[str, Any]) -> Kind:
        """What a row is: the kind of the import, unless it was found to be another."""
        return self._kinds[line["read"].get("kind") or self._row["kind"]]

    def _made(self, kind: Kind, line: Mapping[str, Any], detail: Mapping[str, Any]) -> dict[str, Any]:
        """A record of its own."""
        read = line["read"]
        body = {**read["body"], **({"origin": "import"} if "origin" in kind.fields else {})}
        try:
            record = records.create(
                self._tx, kind.name, read["title"], body, state=read["state"], why=self._why(line), by="outside"
            )
        except BadInput as error:
            return {"outcome": "lacking", "detail": {**detail, "notes": [*detail.get("notes", []), error.detail]}}
        self._link(line, record)
        return {"outcome": "made", "record": record, "version": 1}

    def _why(self, line: Mapping[str, Any]) -> str:
        return f"taken over from {self._row['name']}, line {line['given']['line']}"

    def _link(self, line: Mapping[str, Any], record: str) -> None:
        about = {"import": self._row["id"], "line": line["n"]}
        import_rows.link(self._tx, self.kind(line), line["read"], record, self._names, source=self._source, about=about)


class TakingBack:
    """Rows of one import that are taken back in one transaction; ``gone`` are the records that nobody finds then."""

    def __init__(self, tx: Tx, row: Mapping[str, Any], met: Mapping[str, Sequence[int]]) -> None:
        """``met`` are the records that several rows of the import wrote, with these rows."""
        self._tx, self._row, self._met = tx, row, met
        self.gone: list[str] = []
        self.why = f"the import of {row['name']} was taken back"

    def take_back(self, line: Mapping[str, Any], now: Mapping[str, Any] | None) -> dict[str, Any]:
        """Take one row back, unless its record was changed since; ``now`` is a record that only this row wrote."""
        tx, several = self._tx, line["record"] in self._met
        if several or now is None:
            line, now = imports.row(tx.conn, self._row["id"], line["n"]), records.raw(tx.conn, line["record"])
        if now["version"] != line["version"] or now["merged_into"]:
            return {"outcome": "kept"}
        wrote = _wrote(line)
        if line["outcome"] == "made":
            records.write(tx, now["id"], now["version"], {}, why=self.why, state=imports.TAKEN_BACK, restored=True)
            self.gone.append(now["id"])
        elif (before := records.version(tx.conn, line["record"], wrote - 1)) is not None:
            back, owners = before["body"], before["owners"]
            records.write(tx, now["id"], now["version"], back, why=self.why, replace=True, restored=True, owners=owners)
        if several:
            self._came_back(line, wrote - 1, int(now["version"]) + 1)
        return {"outcome": "undone"}

    def _came_back(self, line: Mapping[str, Any], version: int, now: int) -> None:
        """The record is again what the row before this one wrote, in all but its number: that row can go back too."""
        earlier = [n for n in self._met[line["record"]] if n < line["n"]]
        if earlier:
            row = imports.row(self._tx.conn, self._row["id"], earlier[-1])
            if _wrote(row) == version:
                detail = {**(row["detail"] or {}), "wrote": version}
                imports.mark(self._tx, self._row["id"], row["n"], version=now, detail=detail)


def _wrote(line: Mapping[str, Any]) -> int:
    """The version that a row wrote."""
    return int((line["detail"] or {}).get("wrote") or line["version"])
